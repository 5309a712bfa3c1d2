/** Whatever text is shown, and wherever: it is shown, and neither obeyed as HTML nor as a script. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { api, close, open, say, SERVER, somebody } from './page.mjs'

const ATTACK = `<img src=x onerror=alert(1)><svg onload=alert(2)></svg>[go](javascript:alert(3))![x](http://192.0.2.1/x)"'`
const SEEN = 'onerror=alert(1)'
const SHORT = '<img src=x onerror=alert(1)>'
const WHO = `${SHORT}${somebody('')}`
const REFUSED = /responded with a status of 4/
const OBEYED = 'img, iframe, object, embed, script, svg[onload], [onerror], [onload], a[href^="javascript"]'

after(close)

const post = (path, body, user = WHO) => api(user, path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

/** The walker's history, in which each place is an attack; so is what the model answers. */
function walks() {
  const lines = process.env.PAGE_WALKS.split('\n').map((line) => JSON.parse(line))
  return lines.map((walk) => {
    const place = /about (.*)\?/.exec(walk.query)[1]
    const hostile = (text) => text.replace(place, `${place} ${SHORT}`)
    return { ...walk, query: hostile(walk.query), response: hostile(walk.response), ground_truth: hostile(walk.ground_truth) }
  })
}

/** Opens a view, and all that is folded in it; the attack must be in sight. */
async function shown(page, view, ready = SEEN) {
  await page.goto(`${SERVER}/?user=${encodeURIComponent(WHO)}#/${view}`)
  await page.locator('main').getByText(ready).first().waitFor()
  await harmless(page)
}

async function harmless(page) {
  await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)))
  assert.equal(await page.locator('#app').locator(OBEYED).count(), 0)
  assert.deepEqual(page.errors.filter((each) => !REFUSED.test(each)), [])
}

test('in a conversation: title, question, decision, what it rests on, and the prompt', async () => {
  const episode = { id: SHORT, query: ATTACK, response: ATTACK, ground_truth: `${ATTACK} wanted`, task: SHORT, source: SHORT }
  const rex = { query: 'My dog is called Rex.', response: SHORT }
  await post('/me/import', [episode, rex].map((each) => JSON.stringify(each)).join('\n'))
  await post('/me/persona/edits', { add: [ATTACK], replace: {}, remove: [] })
  await post('/me/profile/statements', { texts: [ATTACK] })
  const { thread_id: thread } = await post('/threads', { metadata: { title: ATTACK } })
  const input = { messages: [{ role: 'user', content: ATTACK }] }
  const asked = { assistant_id: 'agent', input, context: { answers: [`${SHORT} yes`, 'Rex'] } }
  const { decision } = await post(`/threads/${thread}/runs/wait`, asked)
  assert.ok(decision, 'there is nothing to show of a decision')
  const page = await open(WHO)
  await shown(page, `chat/${thread}`)
  await page.getByRole('complementary').getByRole('link', { name: SEEN }).waitFor()
  await page.getByRole('button', { name: 'Why this answer?' }).click()
  await page.locator('.why').getByText(SEEN).first().waitFor()
  await harmless(page)
  await page.locator('.why pre').getByText(SEEN).waitFor()
  await page.getByLabel('You', { exact: true }).getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('complementary').getByRole('button', { name: 'Delete: ' }).click()
  await page.getByRole('dialog').waitFor()
  await harmless(page)
})

test('in the memory: episodes, their tasks and sources, what goes with them, files and their errors', async () => {
  const page = await open(WHO)
  await shown(page, 'memory')
  await page.getByRole('button', { name: 'Forget', exact: true }).first().click()
  await page.getByRole('dialog').getByText('the memory itself').waitFor()
  await harmless(page)
  await page.keyboard.press('Escape')
  const file = (content) => ({ name: `${ATTACK.replaceAll('/', '')}.jsonl`, mimeType: 'application/x-ndjson', buffer: Buffer.from(content) })
  const good = JSON.stringify({ id: 'more', query: ATTACK, response: ATTACK })
  await page.getByLabel('Import a history').setInputFiles(file(`${good}\n{"query": "${SHORT}", "response": 7}`))
  await page.locator('dialog, [role=alert]').getByText(/./).first().waitFor()
  await harmless(page)
  await page.keyboard.press('Escape')
  await page.getByLabel('Import a history').setInputFiles(file(ATTACK))
  await page.getByRole('alert').getByText(/./).first().waitFor()
  await harmless(page)
})

test('in the persona and the profile: rules, statements, versions, what differs, and the prompt', async () => {
  const page = await open(WHO)
  await shown(page, 'persona')
  await page.getByRole('button', { name: 'Show what differs' }).click()
  await page.getByRole('region', { name: /From version/ }).getByText(SEEN).first().waitFor()
  await harmless(page)
})

test('in what was learned: a proposal, its evidence, questions before and after, and what came of it', async () => {
  const user = `${SHORT}${somebody('walks')}`
  await post('/me/persona/edits', { add: [ATTACK], replace: {}, remove: [] }, user)
  await post('/me/import', walks().map((walk) => JSON.stringify(walk)).join('\n'), user)
  const page = await open(user, { path: '#/learned' })
  await page.getByRole('button', { name: 'Learn now' }).click()
  const proposal = page.getByRole('region', { name: 'May this change?' })
  await proposal.locator('ins').first().waitFor({ timeout: 60_000 })
  await harmless(page)
  await proposal.getByText(SEEN).first().waitFor()
  await proposal.getByRole('button', { name: 'Approve' }).click()
  await proposal.waitFor({ state: 'detached' })
  await page.getByText(/Published as version/).first().waitFor()
  await harmless(page)
})

test('in the scorecard and in privacy', async () => {
  const page = await open(WHO)
  await shown(page, 'scorecard', /./)
  await page.getByRole('button', { name: 'Test now' }).waitFor()
  await harmless(page)
  await shown(page, 'privacy', /./)
  await page.getByRole('button', { name: 'Export all memories' }).waitFor()
  await harmless(page)
  await page.getByText('You are <img').waitFor()
})

test('in an answer that somebody wrote in another window', async () => {
  const page = await open(WHO)
  await say(page, ATTACK)
  await harmless(page)
})
