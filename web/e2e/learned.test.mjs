import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { api, close, eventually, open, somebody } from './page.mjs'

/** What a walker wanted of some answers, and the rule that the scripted critic draws from it. */
const { PAGE_WALKS, PAGE_RULE } = process.env
const SHOWN = { path: '#/learned' }

after(close)

const persona = (user) => api(user, '/me/persona')

async function propose(name) {
  const user = somebody(name)
  await api(user, '/me/import', { method: 'POST', body: PAGE_WALKS })
  const page = await open(user, SHOWN)
  await page.getByRole('button', { name: 'Learn now' }).click()
  const proposal = page.getByRole('region', { name: 'May this change?' })
  await proposal.locator('ins').getByText(PAGE_RULE).waitFor({ timeout: 60_000 })
  return { user, page, proposal }
}

test('a proposal shows the change and its evidence, and is approved', async () => {
  const { user, page, proposal } = await propose('approves')
  const sign = await proposal.locator('ins').evaluate((rule) => getComputedStyle(rule, '::before').content)
  assert.equal(sign, '"+ "', 'colour alone does not say that the rule is new')
  await proposal.getByText(/Because of/).click()
  await proposal.getByText('You wanted:').first().waitFor()
  assert.equal((await persona(user)).version, 1)
  await proposal.getByRole('button', { name: 'Approve' }).click()
  await eventually(async () => assert.equal((await persona(user)).version, 2))
  await proposal.waitFor({ state: 'detached' })
  await page.getByText('Published as version 2.').waitFor()
  assert.deepEqual(page.errors, [])
})

test('what was learned is undone where it stands, after a question', async () => {
  const { user, page, proposal } = await propose('undoes')
  await proposal.getByRole('button', { name: 'Approve' }).click()
  await eventually(async () => assert.equal((await persona(user)).version, 2))
  await proposal.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Show what was tried' }).first().click()
  await page.getByRole('button', { name: 'Undo: back to the rules before (version 1)' }).click()
  assert.equal((await persona(user)).version, 2)
  await page.getByRole('dialog').getByRole('button', { name: 'Go back to it' }).click()
  await page.getByText('Changed.').waitFor()
  const { version, rules } = await persona(user)
  assert.equal(version, 3)
  assert.ok(rules.every((rule) => rule.text !== PAGE_RULE))
  assert.deepEqual(page.errors, [])
})

test('a proposal is refused, and nothing changes', async () => {
  const { user, page, proposal } = await propose('refuses')
  await proposal.getByRole('button', { name: 'Refuse' }).click()
  await proposal.waitFor({ state: 'detached' })
  await page.getByText('Not published: you refused it').waitFor({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Show what was tried' }).first().click()
  await page.locator('li ins').getByText(PAGE_RULE).waitFor()
  assert.equal((await persona(user)).version, 1)
})

test("a proposal is published in the user's own words", async () => {
  const { user, proposal } = await propose('words')
  await proposal.getByRole('button', { name: 'Edit' }).click()
  await proposal.getByLabel('Add a rule').fill('Say how far it is in kilometres.')
  await proposal.getByRole('button', { name: 'Publish my words' }).click()
  await eventually(async () => {
    const { author, rules } = await persona(user)
    assert.equal(author, 'user')
    assert.equal(rules.at(-1).text, 'Say how far it is in kilometres.')
  })
})

test('without a label there is a sentence instead of a run', async () => {
  const page = await open(somebody('unlabelled'), SHOWN)
  await page.getByText('Nothing yet.').waitFor()
})
