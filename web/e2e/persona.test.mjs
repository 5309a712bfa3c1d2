import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { api, close, eventually, open, somebody } from './page.mjs'

const SHOWN = { path: '#/persona' }

after(close)

const rules = async (user) => (await api(user, '/me/persona')).rules

async function addRule(page, text) {
  await page.getByRole('button', { name: 'Add a rule' }).click()
  await page.getByLabel('Add a rule').fill(text)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Changed.').waitFor()
  await page.locator('.card').getByText(text, { exact: true }).first().waitFor()
}

test('a rule is added, edited, locked and removed, and a version compared and brought back', async () => {
  const user = somebody('rules')
  const page = await open(user, SHOWN)
  await addRule(page, 'Answer in rhymes.')
  const rule = page.locator('li.card', { hasText: 'Answer in rhymes.' }).first()
  await rule.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('textbox', { name: 'Edit' }).fill('Answer in one line.')
  await page.getByRole('button', { name: 'Save' }).click()
  const edited = page.locator('li.card', { hasText: 'Answer in one line.' }).first()
  await edited.getByRole('button', { name: 'Lock' }).click()
  await edited.getByRole('button', { name: 'Locked', pressed: true }).waitFor()
  await page.getByRole('button', { name: 'Show what differs' }).click()
  await page.getByRole('region', { name: /From version/ }).getByText('Locked').waitFor()
  await edited.getByRole('button', { name: 'Remove' }).click()
  await eventually(async () => assert.ok(!(await rules(user)).some((each) => /one line/.test(each.text))))
  const version = (await api(user, '/me/persona/versions')).items.find((each) =>
    each.rules.some((rule) => rule.text === 'Answer in rhymes.'),
  ).version
  await page.locator('ol li', { hasText: `Version ${version}` }).getByRole('button', { name: 'Go back to it' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Go back to it' }).click()
  await eventually(async () => assert.ok((await rules(user)).some((each) => each.text === 'Answer in rhymes.')))
  assert.deepEqual(page.errors, [])
})

test('an edit of another tab is not overwritten', async () => {
  const user = somebody('tabs')
  const [one, other] = [await open(user, SHOWN), await open(user, SHOWN)]
  await one.getByRole('button', { name: 'Add a rule' }).waitFor()
  await addRule(other, 'Be brief.')
  await one.getByRole('button', { name: 'Add a rule' }).click()
  await one.getByLabel('Add a rule').fill('Be long.')
  await one.getByRole('button', { name: 'Save' }).click()
  await one.getByRole('alert').getByText(/version/).waitFor()
  const texts = (await rules(user)).map((each) => each.text)
  assert.ok(texts.includes('Be brief.') && !texts.includes('Be long.'))
})

test('what is known about a person is added, corrected, undone and forgotten', async () => {
  const user = somebody('profile')
  const page = await open(user, SHOWN)
  const statements = async () => (await api(user, '/me/profile')).summary.map((each) => each.text)
  await page.getByRole('button', { name: 'Add a statement' }).click()
  await page.getByLabel('Add a statement').fill('I live in <i>Lund</i>.')
  await page.getByRole('button', { name: 'Save' }).click()
  const card = page.locator('li.card', { hasText: '<i>Lund</i>' })
  await card.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('textbox', { name: 'Edit' }).fill('I live in Malmö.')
  await page.getByRole('button', { name: 'Save' }).click()
  await eventually(async () => assert.deepEqual(await statements(), ['I live in Malmö.']))
  await page.getByRole('button', { name: 'Undo' }).click()
  await eventually(async () => assert.deepEqual(await statements(), ['I live in <i>Lund</i>.']))
  await page.reload()
  await card.getByRole('button', { name: 'Forget' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
  await eventually(async () => assert.deepEqual(await statements(), []))
})

test('the very prompt is shown, with a question and without, and nothing is asked', async () => {
  const user = somebody('prompt')
  await api(user, '/me/import', { method: 'POST', body: JSON.stringify({ query: 'My dog is called Rex.', response: 'Good.' }) })
  const page = await open(user, SHOWN)
  await page.getByLabel('With this question').fill('What is my dog called?')
  await page.getByRole('button', { name: 'Show the prompt' }).click()
  await page.locator('pre', { hasText: 'My dog is called Rex.' }).waitFor()
  assert.equal((await api(user, '/me/episodes')).items.length, 1)
})

test('nothing in a rule is obeyed as HTML or script, nor in what differs', async () => {
  const page = await open(somebody('attacking-rule'), SHOWN)
  const attack = '<img src=x onerror=alert(1)><script>alert(2)</script>'
  await addRule(page, attack)
  await page.getByRole('button', { name: 'Show what differs' }).click()
  await page.getByRole('region', { name: /From version/ }).getByText(attack).waitFor()
  assert.equal(await page.locator('main').locator('img, script').count(), 0)
  assert.deepEqual(page.errors, [])
})
