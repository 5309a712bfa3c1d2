import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { answered, api, close, eventually, open, say, somebody } from './page.mjs'

const REX = 'My dog is called Rex.'
const DOG = 'What is my dog called?'

after(close)

test('why shows the memory, the rules and the prompt that an answer rests on', async () => {
  const page = await open(somebody('why'))
  await say(page, REX)
  await page.getByRole('button', { name: 'New conversation' }).click()
  await say(page, DOG)
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  await page.locator('.why .episode').getByText(REX).waitFor()
  await page.getByText('All that the model was told').click()
  assert.match(await page.locator('.why pre').innerText(), /My dog is called Rex/)
  await page.reload()
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  await page.locator('.why .episode').getByText(REX).waitFor()
})

test('a memory that has nothing to do with the question stays out of it, until that is undone', async () => {
  const user = somebody('irrelevant')
  const page = await open(user)
  await say(page, REX)
  const [{ id }] = (await api(user, '/me/episodes')).items
  await page.getByRole('button', { name: 'New conversation' }).click()
  await say(page, DOG)
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  const source = page.locator(`.why .episode[data-episode="${id}"]`)
  await source.getByRole('button', { name: 'Not relevant' }).click()
  await page.getByText('stays out of questions like this one.').waitFor()
  await source.getByRole('button', { name: 'Not relevant', pressed: true }).waitFor()
  const search = { method: 'POST', body: JSON.stringify({ text: DOG, top_k: 20 }) }
  const found = async () => (await api(user, '/me/episodes/search', search)).map((each) => each.id)
  assert.ok(!(await found()).includes(id))
  await page.getByRole('button', { name: 'Answer again' }).click()
  await answered(page)
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  await page.locator('.why h2').first().waitFor()
  assert.equal(await source.count(), 0)
  await page.getByRole('link', { name: 'Memory' }).click()
  const card = page.locator(`.episode[data-episode="${id}"]`)
  await card.getByText(DOG).waitFor()
  await card.getByRole('button', { name: `Use it again: ${DOG}` }).click()
  await card.getByText(DOG).waitFor({ state: 'detached' })
  assert.ok((await found()).includes(id))
  await page.getByRole('button', { name: 'Undo' }).click()
  await card.getByText(DOG).waitFor()
  assert.ok(!(await found()).includes(id))
  assert.deepEqual(page.errors, [])
})

test('a memory that is kept out of one search can still be kept out of another', async () => {
  const page = await open(somebody('two-searches'))
  await say(page, REX)
  await page.getByRole('link', { name: 'Memory' }).click()
  const search = page.getByRole('searchbox').first()
  const button = (pressed) => page.locator('.episode').getByRole('button', { name: 'Not relevant', pressed })
  await search.fill(DOG)
  await button(false).click()
  await button(true).waitFor()
  await search.fill('Which book shall I read?')
  await button(false).waitFor()
  await search.fill('Whose dog is it?')
  await button(false).click()
  await button(true).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await button(false).waitFor()
  assert.deepEqual(page.errors, [])
})

test('a rule and a statement that an answer rests on are set right beneath it', async () => {
  const user = somebody('sources')
  const statement = { method: 'POST', body: JSON.stringify({ texts: ['Call me Anna.'] }) }
  await api(user, '/me/profile/statements', statement)
  const { version } = await api(user, '/me/persona')
  await api(user, '/me/persona/edits', { method: 'POST', body: JSON.stringify({ add: ['Be brief.'], version }) })
  const page = await open(user)
  await say(page, DOG)
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  const correct = async (text, corrected) => {
    await page.getByRole('button', { name: `This is wrong: ${text}` }).click()
    await page.getByLabel('How should it read?').fill(corrected)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Changed.').waitFor()
  }
  const rules = async () => (await api(user, '/me/persona')).rules.map((each) => each.text)
  const statements = async () => (await api(user, '/me/profile')).summary.map((each) => each.text)
  await correct('Be brief.', 'Be very brief.')
  await eventually(async () => assert.ok((await rules()).includes('Be very brief.')))
  await page.getByRole('button', { name: 'Undo' }).click()
  await eventually(async () => assert.ok((await rules()).includes('Be brief.')))
  await page.getByRole('button', { name: 'Remove: Be brief.' }).click()
  await eventually(async () => assert.ok(!(await rules()).includes('Be brief.')))
  await correct('Call me Anna.', 'Call me Ann.')
  await eventually(async () => assert.deepEqual(await statements(), ['Call me Ann.']))
  assert.deepEqual(page.errors, [])
})

test('why shows three memories at first, and the rest when asked', async () => {
  const user = somebody('many')
  const lines = Array.from({ length: 5 }, (_, place) => JSON.stringify({ query: `Walk ${place}?`, response: 'Yes.' }))
  await api(user, '/me/import', { method: 'POST', body: lines.join('\n') })
  const page = await open(user)
  await say(page, 'Walk?')
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  const visible = page.locator('.why .episode:visible')
  await visible.nth(2).waitFor()
  assert.equal(await visible.count(), 3)
  await page.getByText('2 more memories').click()
  assert.equal(await visible.count(), 5)
})

test('why shows how sure a decision was, and which answer it took', async () => {
  const user = somebody('decides')
  const known = JSON.stringify({ query: REX, response: 'Good.' })
  await api(user, '/me/import', { method: 'POST', body: known })
  const { thread_id: thread } = await api(user, '/threads', { method: 'POST', body: '{}' })
  const input = { messages: [{ role: 'user', content: DOG }] }
  const asked = { assistant_id: 'agent', input, context: { answers: ['Fido', 'Rex'] } }
  const { decision } = await api(user, `/threads/${thread}/runs/wait`, { method: 'POST', body: JSON.stringify(asked) })
  const page = await open(user, { path: `#/chat/${thread}` })
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  const chosen = page.getByRole('row', { name: /its answer/ })
  await chosen.getByRole('rowheader', { name: decision.answer, exact: true }).waitFor()
  await chosen.getByText(`${Math.round(decision.probabilities[decision.answer] * 100)}%`).waitFor()
  assert.equal(await page.locator('.chances tr').count(), 2)
  await page.getByText(new RegExp(`^It .*“${decision.answer}”`)).waitFor()
  await page.getByRole('listitem').getByText(/^The model by itself spoke for “/).waitFor()
})
