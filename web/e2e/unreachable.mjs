import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { close, open, somebody } from './page.mjs'

after(close)

test('a model that cannot be reached leaves the question, a sentence, and the rest of the page', async () => {
  const page = await open(somebody('unreachable'))
  await page.getByLabel('Your message').fill('My dog is called Rex.')
  await page.getByLabel('Your message').press('Enter')
  const alert = page.getByRole('alert').filter({ has: page.getByRole('button', { name: 'Try again' }) })
  await alert.waitFor({ timeout: 60_000 })
  const sentence = await alert.innerText()
  assert.match(sentence, /endpoint|model|OPENAI_BASE_URL/i)
  assert.doesNotMatch(sentence, /Traceback|Error\(/)
  await page.getByRole('log').getByText('My dog is called Rex.').waitFor()
  await page.getByRole('navigation').locator("a[href='#/persona']").click()
  await page.getByRole('button', { name: 'Add a rule' }).waitFor()
})
