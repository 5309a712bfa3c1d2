import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { api, close, open, SERVER, somebody } from './page.mjs'

/** Only the server that is killed answers this without an end. */
const ENDLESS = 'Never come to an end.'

after(close)

test('a server that is killed midway leaves the question, and answers it once it is back', async () => {
  const user = somebody('killed')
  const page = await open(user)
  await page.getByLabel('Your message').fill(ENDLESS)
  await page.getByLabel('Your message').press('Enter')
  await page.getByText('Half an answer').waitFor()
  process.kill(Number(process.env.PAGE_PID), 'SIGKILL')
  await page.getByRole('alert').getByText('The server does not answer.').first().waitFor()
  await page.getByRole('log').getByText(ENDLESS).waitFor()
  await page.getByLabel('Your message').fill('What I typed meanwhile')
  await back()
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('button', { name: 'Why this answer?' }).waitFor({ timeout: 200_000 }).catch(async (error) => {
    throw new Error(await page.locator('#app').innerText(), { cause: error })
  })
  assert.equal(await page.getByLabel('You', { exact: true }).count(), 1)
  assert.equal(await page.getByLabel('Your message').inputValue(), 'What I typed meanwhile')
  const { items } = await api(user, '/me/episodes')
  assert.deepEqual(items.map((each) => each.query), [ENDLESS])
})

/** Waits until the server has been started again: that takes longer than what a page does. */
async function back() {
  const end = Date.now() + 200_000
  while (Date.now() < end) {
    const up = await fetch(`${SERVER}/ok`).then((response) => response.ok, () => false)
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  assert.fail('the server did not come back')
}
