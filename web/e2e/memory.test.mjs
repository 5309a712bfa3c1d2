import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { api, close, eventually, open, somebody } from './page.mjs'

const LISTED = { path: '#/memory' }

after(close)

/** Lets the user remember these, without asking the model. */
async function remember(user, episodes) {
  const body = episodes.map((each) => JSON.stringify(each)).join('\n')
  await api(user, '/me/import', { method: 'POST', body })
}

const episode = (query, more = {}) => ({ query, response: 'I do not know.', ...more })

test('memories are searched and filtered', async () => {
  const user = somebody('filters')
  await remember(user, [
    episode('What is my dog called?', { ground_truth: 'Rex' }),
    episode('Which film tonight?', { task: 'films' }),
  ])
  const page = await open(user, LISTED)
  await page.locator('.episode').nth(1).waitFor()
  await page.getByLabel('Task').fill('films')
  await page.getByText('What is my dog called?').waitFor({ state: 'detached' })
  await page.getByText('Which film tonight?').waitFor()
  await page.getByLabel('Task').fill('')
  await page.getByLabel('only with what I wanted').check()
  await page.getByText('Which film tonight?').waitFor({ state: 'detached' })
  await page.getByText('Rex', { exact: true }).waitFor()
  await page.getByLabel('only with what I wanted').uncheck()
  await page.getByLabel('From').fill('2999-01-01')
  await page.getByText('No memory matches.').waitFor()
  await page.getByLabel('From').fill('')
  await page.getByLabel('Search', { exact: true }).fill('Which film tonight?')
  const search = { method: 'POST', body: JSON.stringify({ text: 'Which film tonight?', top_k: 20 }) }
  const nearest = (await api(user, '/me/episodes/search', search)).map((each) => each.id)
  const shown = () => page.locator('.episode').evaluateAll((all) => all.map((each) => each.dataset.episode))
  await eventually(async () => assert.deepEqual(await shown(), nearest))
  assert.deepEqual(page.errors, [])
})

test('a wrong memory is corrected, and the correction can be undone', async () => {
  const user = somebody('corrects')
  await remember(user, [episode('What is my dog called?')])
  const page = await open(user, LISTED)
  await page.getByRole('button', { name: 'This is wrong' }).click()
  await page.getByLabel('What did you want instead?').fill('Rex')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.episode strong').getByText('Rex').waitFor()
  assert.equal((await api(user, '/me/episodes')).items[0].ground_truth, 'Rex')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone.').waitFor()
  assert.equal((await api(user, '/me/episodes')).items[0].ground_truth, null)
})

test('forgetting says first what goes along, and Escape keeps it', async () => {
  const user = somebody('forgets')
  await remember(user, [episode('My PIN is 4711.'), episode('Something else.')])
  const page = await open(user, LISTED)
  const pin = page.locator('.episode', { hasText: '4711' })
  await pin.getByRole('button', { name: 'Forget' }).click()
  await page.getByRole('dialog').getByText('the memory itself').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal((await api(user, '/me/episodes')).items.length, 2)
  await pin.getByRole('button', { name: 'Forget' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
  await page.getByText('4711').waitFor({ state: 'detached' })
  await eventually(async () => assert.equal((await api(user, '/me/episodes')).items.length, 1))
})

test('what was forgotten is listed with when and how much, and not a word of it', async () => {
  const user = somebody('forgotten')
  await remember(user, [episode('My PIN is 4711.'), episode('Something else.')])
  const page = await open(user, LISTED)
  await page.locator('.episode', { hasText: '4711' }).getByRole('button', { name: 'Forget' }).click()
  await page.getByRole('dialog').getByText('the memory itself').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
  await page.getByText('4711').waitFor({ state: 'detached' })
  await page.getByText('What you have forgotten').click()
  const listed = page.locator('details', { hasText: 'What you have forgotten' }).getByRole('listitem')
  await listed.getByText(/: 1 memory$/).waitFor()
  assert.ok(!(await page.content()).includes('4711'))
  assert.deepEqual(page.errors, [])
})

test('an answer is shown as it was written, without the signs of Markdown', async () => {
  const user = somebody('markdown')
  await remember(user, [episode('Which dog?', { response: '# Dogs\n\nIt is **Rex**.<img src=x onerror=alert(1)>' })])
  const page = await open(user, LISTED)
  const card = page.locator('.episode')
  await card.locator('strong', { hasText: 'Rex' }).waitFor()
  await card.locator('strong', { hasText: 'Dogs' }).waitFor()
  assert.ok(!(await card.innerText()).includes('*'))
  assert.equal(await card.locator('h1, img').count(), 0)
  assert.deepEqual(page.errors, [])
})

test('a file is previewed, imported once, and the import can be undone', async () => {
  const user = somebody('imports')
  const page = await open(user, LISTED)
  const lines = [episode('One?'), episode('Two?')].map((each) => JSON.stringify({ ...each, id: each.query }))
  const file = { name: '<b>history</b>.jsonl', mimeType: 'application/x-ndjson', buffer: Buffer.from(lines.join('\n')) }
  await page.getByLabel('Import a history').setInputFiles(file)
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'Import <b>history</b>.jsonl?' }).waitFor()
  await dialog.getByText('2 new').waitFor()
  assert.equal((await api(user, '/me/episodes')).items.length, 0)
  await dialog.getByRole('button', { name: 'Import 2' }).click()
  await page.getByRole('region', { name: 'What the import did' }).getByText('2 imported.').waitFor()
  await page.locator('.episode').nth(1).waitFor()
  await page.getByLabel('Import a history').setInputFiles(file)
  await dialog.getByText('2 known already').waitFor()
  assert.equal(await dialog.getByRole('button', { name: 'Import 0' }).isDisabled(), true)
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone.').waitFor()
  assert.equal((await api(user, '/me/episodes')).items.length, 0)
})

test('a file that cannot be read is refused with a sentence', async () => {
  const page = await open(somebody('unreadable'), LISTED)
  const file = { name: 'x.txt', mimeType: 'text/plain', buffer: Buffer.from('no history at all') }
  await page.getByLabel('Import a history').setInputFiles(file)
  await page.getByRole('alert').getByText(/./).first().waitFor()
})

test('remembering is paused, and goes on', async () => {
  const user = somebody('pauses')
  const page = await open(user, LISTED)
  const pause = page.getByLabel('Pause: remember nothing')
  await pause.check()
  await eventually(async () => assert.equal((await api(user, '/me/remembering')).paused, true))
  await page.reload()
  await page.getByRole('checkbox', { name: 'Pause', checked: true }).waitFor()
  await pause.uncheck()
  await eventually(async () => assert.equal((await api(user, '/me/remembering')).paused, false))
})

test('a search is filtered by task and source, which are offered to choose from', async () => {
  const user = somebody('seeks')
  await remember(user, [
    episode('Which film tonight?', { task: 'films', source: 'notes' }),
    episode('Which film tomorrow?', { task: 'plans' }),
  ])
  const page = await open(user, LISTED)
  await page.locator('.episode').nth(1).waitFor()
  const offered = (name) => page.locator(`#known-${name} option`).evaluateAll((all) => all.map((each) => each.value))
  assert.deepEqual(await offered('task'), ['films', 'plans'])
  assert.deepEqual(await offered('source'), ['import', 'notes'])
  await page.getByLabel('Search', { exact: true }).fill('Which film?')
  await page.getByLabel('Source').fill('notes')
  await page.getByText('Which film tomorrow?').waitFor({ state: 'detached' })
  await page.getByText('Which film tonight?').waitFor()
  assert.deepEqual(page.errors, [])
})

test('a long import says how far it is, is cancelled, and what is stored by then stays', async () => {
  const user = somebody('cancels')
  const page = await open(user, LISTED)
  const lines = Array.from({ length: 8000 }, (_, place) => JSON.stringify(episode(`Walk ${place}?`, { id: `w${place}` })))
  const file = { name: 'long.jsonl', mimeType: 'application/x-ndjson', buffer: Buffer.from(lines.join('\n')) }
  await page.getByLabel('Import a history').setInputFiles(file)
  await page.getByRole('dialog').getByRole('button', { name: 'Import 8000' }).click({ timeout: 60_000 })
  await page.getByText(/^[1-9][\d,]* of 8,000 done$/).waitFor({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Cancel' }).click()
  const result = page.getByRole('region', { name: 'What the import did' })
  await result.getByText(/^Cancelled:/).waitFor({ timeout: 60_000 })
  const [, count] = /(\d+) imported\./.exec(await result.innerText())
  assert.ok(0 < count && count < 8000)
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone.').waitFor({ timeout: 60_000 })
  assert.equal((await api(user, '/me/episodes')).items.length, 0)
  assert.deepEqual(page.errors, [])
})
