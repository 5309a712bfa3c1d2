import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'

import { answered, api, close, eventually, open, say, somebody, tellFailure } from './page.mjs'

const REX = 'My dog is called Rex.'
const DOG = 'What is my dog called?'
const ANSWER = 'Your dog is called Rex.'

afterEach(tellFailure)
after(close)

const [THUMBS, EDIT, AGAIN, UNSEEN] = ['thumbs', 'edit', 'again', 'unseen'].map(somebody)

test('a person signs in by name, tells something, and a new conversation recalls it', async () => {
  const page = await open('')
  await page.getByLabel('Your name').fill(somebody('ana'))
  await page.getByRole('button', { name: 'Continue' }).click()
  await say(page, REX)
  await page.getByRole('button', { name: 'New conversation' }).click()
  await say(page, DOG)
  await page.getByRole('log').getByText(ANSWER).waitFor()
  await page.getByRole('complementary').getByRole('link', { name: REX }).waitFor()
  assert.deepEqual(page.errors, [])
})

test('thumbs down takes what was wanted in one gesture, and can be undone', async () => {
  const page = await open(THUMBS)
  await say(page, DOG)
  await page.getByRole('button', { name: 'Not what I wanted' }).click()
  await page.getByLabel('What did you want instead?').fill('Rex, of course.')
  await page.getByRole('button', { name: 'Send feedback' }).click()
  await page.getByText('Noted.').waitFor()
  const wanted = async () => (await api(THUMBS, '/me/episodes')).items[0].ground_truth
  assert.equal(await wanted(), 'Rex, of course.')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone.').waitFor()
  assert.equal(await wanted(), null)
})

test('an edited message replaces what was said, in memory too', async () => {
  const page = await open(EDIT)
  await say(page, 'My cat is called Tom.')
  await say(page, 'Something else.')
  await page.getByLabel('You', { exact: true }).first().getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('textbox', { name: 'Edit' }).fill('Quite another thing.')
  await page.getByRole('log').getByRole('button', { name: 'Send' }).click()
  await eventually(async () => {
    const { items } = await api(EDIT, '/me/episodes')
    const standing = items.filter((each) => !each.discarded).map((each) => each.query)
    assert.deepEqual(standing, ['Quite another thing.'])
  })
  await answered(page)
  assert.equal(await page.getByLabel('You', { exact: true }).count(), 1)
})

test('an answer is made anew, and only the last one stands', async () => {
  const page = await open(AGAIN)
  await say(page, 'Hello.')
  await say(page, DOG)
  await page.getByRole('button', { name: 'Answer again' }).click()
  await eventually(async () => {
    const { items } = await api(AGAIN, '/me/episodes')
    assert.deepEqual(items.map((each) => each.discarded), [false, true, false])
  })
  await answered(page)
  assert.equal(await page.getByLabel('You', { exact: true }).count(), 2)
})

test('a conversation is renamed, found by what was said, and deleted', async () => {
  const page = await open(somebody('titles'))
  await say(page, 'About gardens.')
  const list = page.getByRole('complementary')
  await list.getByRole('button', { name: 'Rename: About gardens.' }).click()
  await list.getByLabel('Title').fill('Roses')
  await list.getByRole('button', { name: 'Save' }).click()
  await list.getByRole('link', { name: 'Roses' }).waitFor()
  await list.getByLabel('Search conversations').fill('tulips')
  await list.getByText('Nothing matches.').waitFor()
  await list.getByLabel('Search conversations').fill('gardens')
  await list.getByRole('button', { name: 'Delete: Roses' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await list.getByText('Nothing matches.').waitFor()
  await list.getByLabel('Search conversations').fill('')
  await list.getByText('No conversation yet.').waitFor()
})

test('nothing of an incognito conversation stays', async () => {
  const page = await open(UNSEEN)
  await page.getByRole('button', { name: 'Incognito' }).click()
  await say(page, REX)
  await page.getByRole('button', { name: 'New conversation' }).click()
  await page.getByText('No conversation yet.').waitFor()
  assert.deepEqual((await api(UNSEEN, '/me/episodes')).items, [])
  const search = { method: 'POST', body: JSON.stringify({ metadata: { owner: UNSEEN } }) }
  await eventually(async () => assert.deepEqual(await api(UNSEEN, '/threads/search', search), []))
})

test('an answer is stopped midway, and the conversation goes on', async () => {
  const page = await open(somebody('stops'))
  await page.getByLabel('Your message').fill('Never come to an end.')
  await page.getByLabel('Your message').press('Enter')
  await page.getByText('Half an answer').waitFor()
  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByRole('alert').getByText('Stopped.').waitFor()
  await say(page, DOG)
  await page.getByRole('log').getByText('I do not know.').waitFor()
})

test('what cannot be sent stays, and is sent again', async () => {
  const page = await open(somebody('offline'))
  await page.getByLabel('Your message').waitFor()
  await page.context().setOffline(true)
  await page.getByLabel('Your message').fill(REX)
  await page.getByLabel('Your message').press('Enter')
  await page.getByRole('alert').getByText('The server does not answer.').first().waitFor()
  await page.context().setOffline(false)
  await page.getByRole('button', { name: 'Try again' }).click()
  await answered(page)
  assert.equal(await page.getByLabel('You', { exact: true }).count(), 1)
})

test('a model that refuses leaves the question, a sentence, and the way to try again', async () => {
  const page = await open(somebody('fails'))
  await page.getByLabel('Your message').fill('This cannot be answered.')
  await page.getByLabel('Your message').press('Enter')
  await page.getByRole('alert').getByRole('button', { name: 'Try again' }).waitFor()
  await page.getByRole('log').getByText('This cannot be answered.').waitFor()
})

test('two tabs of one conversation see each other, and an edit loses nothing of it', async () => {
  const user = somebody('two-tabs')
  const one = await open(user)
  await say(one, 'Hello.')
  const other = await open(user, { path: new URL(one.url()).hash })
  await answered(other)
  await say(other, 'Once more.')
  await one.evaluate(() => dispatchEvent(new Event('focus')))
  await one.getByRole('log').getByText('Once more.').waitFor()
  await say(one, 'From here.')
  const first = other.getByLabel('You', { exact: true }).first()
  await first.getByRole('button', { name: 'Edit' }).click()
  await other.getByRole('textbox', { name: 'Edit' }).fill('Good evening.')
  await other.getByRole('log').getByRole('button', { name: 'Send' }).click()
  await eventually(async () => {
    const { items } = await api(user, '/me/episodes')
    assert.deepEqual(items.filter((each) => !each.discarded).map((each) => each.query), ['Good evening.'])
  })
})

test('what is asked while another tab is being answered stays, and is sent again', async () => {
  const user = somebody('busy')
  const one = await open(user)
  await say(one, 'Hello.')
  const other = await open(user, { path: new URL(one.url()).hash })
  await answered(other)
  await one.getByLabel('Your message').fill('Never come to an end.')
  await one.getByLabel('Your message').press('Enter')
  await one.getByText('Half an answer').waitFor()
  await other.getByLabel('Your message').fill(DOG)
  await other.getByLabel('Your message').press('Enter')
  await other.getByText('The agent is answering').waitFor()
  await one.getByRole('button', { name: 'Stop' }).click()
  await other.getByRole('alert').getByRole('button', { name: 'Try again' }).click()
  await answered(other)
  assert.deepEqual((await api(user, '/me/episodes')).items.map((each) => each.query), [DOG, 'Hello.'])
})

test('a user sees nothing of another', async () => {
  const one = await open(somebody('one'))
  await say(one, 'The secret is 4711.')
  const other = await open(somebody('other'))
  await other.getByText('No conversation yet.').waitFor()
  assert.doesNotMatch(await other.content(), /4711/)
})

test('nothing that is said is obeyed as HTML or script', async () => {
  const page = await open(somebody('attack'))
  const attack = '<img src=x onerror=alert(1)><script>alert(2)</script> [go](javascript:alert(3)) ![x](http://192.0.2.1/x)'
  await page.getByLabel('Your message').fill(attack)
  await page.getByLabel('Your message').press('Enter')
  await answered(page)
  await page.getByRole('complementary').getByRole('link', { name: /img src/ }).waitFor()
  assert.equal(await page.locator('main img, main script').count(), 0)
  assert.deepEqual(page.errors, [])
})

test('nothing in an answer is obeyed as HTML or script, while it streams or after', async () => {
  const page = await open(somebody('attacking-answer'))
  await page.getByLabel('Your message').fill('Answer with HTML.')
  await page.getByLabel('Your message').press('Enter')
  await page.getByRole('log').locator('strong').getByText('safe').waitFor()
  assert.equal(await page.locator('main').locator('img, svg[onload], iframe, script, [onerror], a[href^=javascript]').count(), 0)
  assert.deepEqual(page.errors, [])
})

test('on a slow network a question is answered once, and the page says that it waits', async () => {
  const user = somebody('slow')
  const page = await open(user)
  await page.getByLabel('Your message').waitFor()
  const network = await page.context().newCDPSession(page)
  const slow = { offline: false, latency: 1500, downloadThroughput: 6_000, uploadThroughput: 6_000 }
  await network.send('Network.emulateNetworkConditions', slow)
  await page.getByLabel('Your message').fill(REX)
  await page.getByLabel('Your message').press('Enter')
  await page.getByRole('button', { name: 'Stop' }).waitFor()
  await page.getByLabel('Your message').press('Enter')
  await answered(page)
  assert.equal(await page.getByLabel('You', { exact: true }).count(), 1)
  assert.equal((await api(user, '/me/episodes')).items.length, 1)
  assert.deepEqual(page.errors, [])
})

test('the page is the same in German', async () => {
  const page = await open(somebody('deutsch'), { locale: 'de-DE' })
  await page.getByLabel('Deine Nachricht').waitFor()
  assert.equal(await page.locator('html').getAttribute('lang'), 'de')
})
