import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { api, close, open, somebody } from './page.mjs'

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
