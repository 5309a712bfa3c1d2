import { after, test } from 'node:test'

import { close, open, somebody } from './page.mjs'

after(close)

test('a server that is killed midway leaves the question, and the way to try again', async () => {
  const page = await open(somebody('killed'))
  await page.getByLabel('Your message').fill('Never come to an end.')
  await page.getByLabel('Your message').press('Enter')
  await page.getByText('Half an answer').waitFor()
  process.kill(Number(process.env.PAGE_PID), 'SIGKILL')
  await page.getByRole('alert').getByText('The server does not answer.').first().waitFor()
  await page.getByRole('log').getByText('Never come to an end.').waitFor()
  await page.getByRole('button', { name: 'Try again' }).waitFor()
})
