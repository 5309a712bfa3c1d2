import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { api, close, open, say, somebody } from './page.mjs'

const SHOWN = { path: '#/scorecard' }

after(close)

test('the scorecard tests a walker’s questions, and shows how each way of answering did', async () => {
  const user = somebody('tested')
  await api(user, '/me/import', { method: 'POST', body: process.env.PAGE_WALKS })
  const page = await open(user, SHOWN)
  await page.getByRole('button', { name: 'Test now' }).click()
  const bars = page.getByRole('table', { name: 'How near the answers were' })
  await bars.getByRole('row', { name: /no memory and no persona/ }).getByText('%').first().waitFor({ timeout: 120_000 })
  assert.equal(await bars.locator('tbody tr').count(), 4)
  await page.getByRole('img', { name: /over time/ }).waitFor()
  await page.getByText(/This test took/).waitFor()
  assert.deepEqual(page.errors, [])
})

test('without anything that was wanted there is a sentence', async () => {
  const page = await open(somebody('untested'), SHOWN)
  await page.getByRole('button', { name: 'Test now' }).click()
  await page.getByRole('alert').getByText(/./).first().waitFor()
})

/** Answers to closed questions that were so sure, of which some were right. */
function judged(count, right, probability) {
  const one = (place) => ({
    id: `${probability}-${place}`.replace('.', ''),
    query: `Tea or coffee, day ${place}?`,
    response: 'tea',
    ...(place < right ? { signal: 'accept' } : { signal: 'edit', ground_truth: 'coffee' }),
    metadata: { decision: { answer: 'tea', text: '', probability } },
  })
  return Array.from({ length: count }, (_, place) => JSON.stringify(one(place)))
}

test('whoever judged some choices sees how sure the agent was, and how often right', async () => {
  const user = somebody('judges')
  const body = [...judged(10, 4, 0.95), ...judged(5, 3, 0.6)].join('\n')
  await api(user, '/me/import', { method: 'POST', body })
  const page = await open(user, SHOWN)
  const shown = page.getByRole('region', { name: 'Is it as sure as it is right?' })
  await shown.getByText('No: it is surer than it should be.').waitFor()
  await shown.getByText('You judged 15 answers.').waitFor()
  const sure = shown.getByRole('row', { name: /about 95/ })
  await sure.getByText(/40.?%: 4 of 10/).waitFor()
  assert.equal(await shown.locator('tbody tr').count(), 2)
  assert.deepEqual(page.errors, [])
})

test('what answers have cost is shown by what they were for', async () => {
  const user = somebody('pays')
  const page = await open(user)
  await say(page, 'My dog is called Rex.')
  await page.getByRole('navigation').locator("a[href='#/scorecard']").click()
  const shown = page.getByRole('region', { name: 'What it has cost' })
  await shown.getByRole('row', { name: /^Answers 1 / }).waitFor()
  await shown.getByText('In money this is not known').waitFor()
  await shown.getByLabel('Period').selectOption('7')
  await shown.getByRole('row', { name: /^All together 1 / }).waitFor()
  assert.deepEqual(page.errors, [])
})

test('with nothing judged and nothing asked there are sentences', async () => {
  const page = await open(somebody('new-here'), SHOWN)
  await page.getByText('Nothing to compare yet').waitFor()
  await page.getByText('Nothing was asked in this time.').waitFor()
})
