import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { answered, api, close, eventually, open, say } from './page.mjs'

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

test('why, edit, answer again and feedback work here as well', async () => {
  const page = await open('')
  await signIn(page, PAGE_TOKEN)
  const standing = async () =>
    (await api('', '/me/episodes')).items.filter((each) => !each.discarded).map((each) => each.query)
  await say(page, 'My dog is called Rex.')
  await page.getByRole('button', { name: 'New conversation' }).click()
  await say(page, 'What is my dog called?')
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  await page.locator('.why .episode').first().getByText('My dog is called Rex.').waitFor()
  await page.getByRole('button', { name: 'Good answer' }).click()
  await page.getByText('Noted.').waitFor()
  const asked = page.getByLabel('You', { exact: true })
  await asked.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('textbox', { name: 'Edit' }).fill('Quite another thing.')
  await page.getByRole('log').getByRole('button', { name: 'Send' }).click()
  await eventually(async () => assert.equal((await standing())[0], 'Quite another thing.'))
  await answered(page)
  const before = (await api('', '/me/episodes')).items.length
  await page.getByRole('button', { name: 'Answer again' }).click()
  await eventually(async () => assert.equal((await api('', '/me/episodes')).items.length, before + 1))
  await answered(page)
  assert.ok(!(await standing()).includes('What is my dog called?'))
  assert.equal(await asked.count(), 1)
})
