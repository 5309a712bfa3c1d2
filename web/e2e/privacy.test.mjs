import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'

import { api, close, eventually, open, somebody } from './page.mjs'

const SHOWN = { path: '#/privacy', acceptDownloads: true }
const REX = JSON.stringify({ query: 'My dog is called Rex.', response: 'Good.' })

after(close)

const remember = (user) => api(user, '/me/import', { method: 'POST', body: REX })
const count = async (user) => (await api(user, '/me/episodes')).items.length

test('a person sees what leaves the machine', async () => {
  const page = await open(somebody('leaves'), SHOWN)
  await page.getByRole('row', { name: /Answers/ }).getByText('Stays here').waitFor()
  await page.getByRole('row', { name: /Wikipedia/ }).getByText('en.wikipedia.org').waitFor()
  assert.deepEqual(page.errors, [])
})

test('all is backed up, forgotten after the name was typed, and restored', async () => {
  const user = somebody('ends')
  await remember(user)
  const page = await open(user, SHOWN)
  const [backup] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Back up everything' }).click(),
  ])
  const archive = await readFile(await backup.path())
  const end = page.getByRole('button', { name: 'Forget everything about me' })
  assert.equal(await end.isDisabled(), true)
  await page.getByLabel(`Type ${user}`).fill(user)
  await end.click()
  assert.equal(await count(user), 1)
  await page.getByRole('dialog').getByRole('button', { name: 'Forget everything about me' }).click()
  await page.getByText('All is forgotten: 1').waitFor()
  assert.equal(await count(user), 0)
  const file = { name: 'personaagent.zip', mimeType: 'application/zip', buffer: archive }
  await page.getByLabel('Restore a backup').setInputFiles(file)
  await page.getByRole('dialog').getByRole('button', { name: 'Restore a backup' }).click()
  await page.getByText('Restored: 1').waitFor()
  await eventually(async () => assert.equal(await count(user), 1))
})

test('an export is the very episodes', async () => {
  const user = somebody('exports')
  await remember(user)
  const page = await open(user, SHOWN)
  const [exported] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export all memories' }).click(),
  ])
  assert.match(await readFile(await exported.path(), 'utf8'), /My dog is called Rex/)
})

test("the day's budget is shown: what learning has used, and that nothing limits it", async () => {
  const user = somebody('budget')
  await api(user, '/me/import', { method: 'POST', body: process.env.PAGE_WALKS })
  await api(user, '/me/alignments', { method: 'POST', body: '{}' })
  let calls
  await eventually(async () => {
    const { items } = await api(user, '/me/alignments')
    assert.ok(['success', 'interrupted'].includes(items[0].status), items[0].status)
    calls = (await api(user, '/me/budget')).alignment.spent.calls
    assert.ok(calls > 0)
  })
  const page = await open(user, SHOWN)
  const learning = page.getByRole('region', { name: 'Today’s budget' }).getByRole('row', { name: /Learning/ })
  await learning.getByText(`${calls} calls of the model`).waitFor()
  await learning.getByText('No limit').waitFor()
  await page.getByRole('row', { name: /Questions/ }).getByText('Not counted').waitFor()
})

test('remembering is paused in the privacy view too', async () => {
  const user = somebody('pauses')
  const page = await open(user, SHOWN)
  await page.getByLabel(/^Pause/).check()
  await eventually(async () => assert.equal((await api(user, '/me/remembering')).paused, true))
})
