import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { close, open, say } from './page.mjs'

const { PAGE_TOKEN, PAGE_EXPIRED } = process.env

after(close)

async function signIn(page, token) {
  await page.getByLabel('Your token').fill(token)
  await page.getByRole('button', { name: 'Continue' }).click()
}

test('a person signs in by a token, which nothing keeps', async () => {
  const page = await open('')
  await signIn(page, PAGE_TOKEN)
  await page.getByText('You are tess').waitFor()
  await say(page, 'My dog is called Rex.')
  await page.getByRole('complementary').getByRole('link', { name: 'My dog is called Rex.' }).waitFor()
  const stored = await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length)
  assert.equal(stored, 0)
  assert.ok(!page.url().includes(PAGE_TOKEN))
  await page.reload()
  await page.getByLabel('Your token').waitFor()
})

test('a token that has expired is refused with a sentence, and asked for anew', async () => {
  const page = await open('')
  await signIn(page, PAGE_EXPIRED)
  await page.getByText('The server no longer accepts this token.').waitFor()
  await signIn(page, PAGE_TOKEN)
  await page.getByText('You are tess').waitFor()
})

test('a name in the address is nobody where tokens are needed', async () => {
  const page = await open('tess')
  await page.getByLabel('Your token').waitFor()
})
