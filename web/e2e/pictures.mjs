/** Pictures of each view, light, dark and narrow, of invented people's data: `make web-pictures`. */
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'

import { api, close, eventually, open, say } from './page.mjs'

const { PAGE_PICTURES, PAGE_HISTORY, PAGE_WALKS } = process.env
const WIDE = { width: 1280, height: 860 }
const LOOKS = [
  ['light', { colorScheme: 'light', viewport: WIDE }],
  ['dark', { colorScheme: 'dark', viewport: WIDE }],
  ['narrow', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
]

/** Who is shown in each view, and what is done before the picture is taken. */
const VIEWS = {
  chat: ['mira', (page) => page.getByRole('button', { name: 'Why this answer?' }).click()],
  memory: ['mira', (page) => page.locator('.episode').first().waitFor()],
  persona: ['mira', (page) => page.locator('.card').first().waitFor()],
  learned: ['walker', (page) => page.getByRole('button', { name: 'Approve' }).waitFor({ timeout: 120_000 })],
  scorecard: ['walker', test],
  privacy: ['mira', (page) => page.getByRole('row').nth(3).waitFor()],
}

async function test(page) {
  await page.getByRole('button', { name: 'Test now' }).click()
  await page.getByText(/This test took/).waitFor({ timeout: 120_000 })
}

/** Gives both people a history; the address of Mira's conversation. */
async function prepare() {
  await api('walker', '/me/import', { method: 'POST', body: PAGE_WALKS })
  const { id } = await api('walker', '/me/alignments', { method: 'POST', body: JSON.stringify({ approve: true }) })
  await eventually(async () => assert.ok((await api('walker', `/me/alignments/${id}`)).proposal))
  // Only now: the scripted model cannot summarise her, and is then asked in other ways.
  await api('mira', '/me/import', { method: 'POST', body: await readFile(PAGE_HISTORY, 'utf8') })
  const page = await open('mira')
  await say(page, 'What is Ida allergic to?')
  return new URL(page.url()).hash
}

await mkdir(PAGE_PICTURES, { recursive: true })
const conversation = await prepare()
for (const [view, [user, ready]] of Object.entries(VIEWS)) {
  for (const [look, options] of LOOKS) {
    const path = view === 'chat' ? conversation : `#/${view}`
    const page = await open(user, { path, ...options })
    await ready(page)
    await page.screenshot({ path: `${PAGE_PICTURES}/${view}-${look}.png` })
    await page.context().close()
  }
}
await close()
