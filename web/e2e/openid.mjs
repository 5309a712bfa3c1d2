/** Signing in at an OpenID Connect issuer: a scripted one, with real codes and tokens (tests/support/issuer.py). */
import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'

import { answered, close, eventually, ISSUER, open, say, SERVER, violations } from './page.mjs'

const DOG = 'My dog is called Rex.'
const ask = (path, options) => fetch(`${ISSUER}${path}`, options).then((response) => response.json())
const control = (behaviour) => ask('/control', { method: 'POST', body: JSON.stringify(behaviour) })

after(close)
beforeEach(() => control({}))

/** A page that notes the token which it sends last. */
async function opened(options) {
  const page = await open('', options)
  page.on('request', (request) => {
    page.token = request.headers().authorization ?? page.token
  })
  return page
}

/** Goes on in the issuer's window, as somebody. */
async function choose(page, user) {
  const button = page.getByRole('button', { name: 'Sign in at' })
  const [window] = await Promise.all([page.context().waitForEvent('page'), button.click()])
  await window.getByRole('link', { name: `I am ${user}` }).click()
  return window
}

async function signIn(page, user = 'ana') {
  await choose(page, user)
  await page.getByLabel('Your message').waitFor()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** Lets the token that the page sends count no more. */
async function revoke(page) {
  const headers = { Authorization: page.token, 'Content-Type': 'application/json' }
  const response = await fetch(`${SERVER}/me/tokens/revoke`, { method: 'POST', headers, body: '{"which": "this"}' })
  assert.equal(response.status, 200)
}

test('a person signs in at the issuer, by a window that closes, and nothing is stored', async () => {
  const page = await opened()
  const window = await choose(page, 'ana')
  await page.getByText('You are Ana Née').waitFor()
  await eventually(() => assert.ok(window.isClosed()))
  await say(page, DOG)
  const stored = () => localStorage.length + sessionStorage.length + document.cookie.length
  assert.equal(await page.evaluate(stored), 0)
  assert.doesNotMatch(page.url(), /code|state|token/)
  assert.deepEqual(page.errors, [])
})

test('a token that counts no more is renewed, and nobody is asked', async () => {
  const page = await opened()
  await signIn(page)
  await say(page, DOG)
  const { refresh_token: before = 0 } = await ask('/seen')
  await revoke(page)
  await say(page, 'And my cat is called Tom.')
  assert.equal((await ask('/seen')).refresh_token, before + 1)
  assert.equal(await page.getByRole('dialog').count(), 0)
})

test('a token that is about to expire is renewed before the server refuses it', async () => {
  await control({ lifetime: 1 })
  const page = await opened()
  await signIn(page)
  await control({})
  const refused = []
  page.on('response', (response) => response.status() === 401 && refused.push(response.url()))
  await new Promise((resolve) => setTimeout(resolve, 600)) // half of its lifetime
  await say(page, DOG)
  assert.deepEqual(refused, [])
})

test('who must sign in again loses nothing: what was sent goes on, what was typed stays', async () => {
  const page = await opened()
  await signIn(page)
  await page.getByRole('button', { name: 'New conversation' }).waitFor()
  await control({ refresh: false })
  await revoke(page)
  await page.getByLabel('Your message').fill(DOG)
  await page.getByLabel('Your message').press('Enter')
  await page.getByRole('dialog', { name: 'Sign in again' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByText('Your sign-in has expired, so').getByRole('button', { name: 'Sign in again' }).click()
  await signIn(page)
  await page.getByRole('button', { name: 'Try again' }).click()
  await answered(page)
  assert.equal(await page.getByText('Your sign-in has expired').count(), 0)
  await control({ refresh: false })
  await revoke(page)
  await page.getByLabel('Your message').fill('Hello.')
  await page.getByLabel('Your message').press('Enter')
  await signIn(page)
  await answered(page)
  assert.equal(await page.getByLabel('You', { exact: true }).count(), 2)
  await control({ refresh: false })
  await revoke(page)
  await page.getByLabel('Your message').fill('Half a sentence')
  await page.evaluate(() => dispatchEvent(new Event('focus')))
  await page.getByRole('dialog', { name: 'Sign in again' }).waitFor()
  await signIn(page)
  assert.equal(await page.getByLabel('Your message').inputValue(), 'Half a sentence')
})

test('if somebody else signs in instead, nothing is sent as them, and they see nothing of the other', async () => {
  const page = await opened()
  await signIn(page)
  await say(page, 'The secret is 4711.')
  await control({ refresh: false })
  await revoke(page)
  await page.getByLabel('Your message').fill('It is 4711, I said.')
  await page.getByLabel('Your message').press('Enter')
  await page.getByRole('dialog', { name: 'Sign in again' }).waitFor()
  await choose(page, 'ben')
  await page.getByText('You are Ben').waitFor()
  await page.getByText('No conversation yet.').waitFor()
  await eventually(async () => assert.doesNotMatch(await page.locator('#app').innerText(), /4711/))
})

test('who signs out is signed out at the issuer too, and the refresh token ends', async () => {
  const page = await opened()
  await signIn(page)
  const before = await ask('/seen')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in at' }).waitFor()
  await eventually(async () => {
    const { out, revoked } = await ask('/seen')
    assert.deepEqual([out, revoked], [(before.out ?? 0) + 1, (before.revoked ?? 0) + 1])
  })
  assert.ok(page.url().startsWith(SERVER))
})

for (const [what, behaviour, user, sentence] of [
  ['the person does not want to', {}, 'nobody', /it was cancelled or not allowed/],
  ['the nonce is another', { nonce: 'another' }, 'ana', /signed nobody in. It says: .*nonce/],
  ['the tokens are for another service', { audience: 'another' }, 'ana', /gave no token for personaagent/],
]) {
  test(`nobody is signed in if ${what}, and the next try is good`, async () => {
    await control(behaviour)
    const page = await opened()
    await choose(page, user)
    await page.getByRole('status').filter({ hasText: sentence }).waitFor()
    await control({})
    await signIn(page)
  })
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing where people sign in, again, or put it off, ${colorScheme}`, async () => {
    const page = await opened({ colorScheme })
    await page.getByText('Paste a token instead').click()
    await page.getByLabel('Your token').waitFor()
    assert.deepEqual(await violations(page), [])
    await signIn(page)
    await control({ refresh: false })
    await revoke(page)
    await page.evaluate(() => dispatchEvent(new Event('focus')))
    await page.getByRole('dialog').waitFor()
    assert.deepEqual(await violations(page), [])
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Sign in again' }).waitFor()
    assert.deepEqual(await violations(page), [])
  })
}

test('an issuer that lets no page ask is named with what to do', async () => {
  await control({ cors: false })
  const page = await opened()
  await page.getByRole('button', { name: 'Sign in at' }).click()
  await page.getByText(`the operator must allow ${SERVER} there`).waitFor()
  await control({})
  await signIn(page)
})

test('an answer that nobody asked for signs nobody in', async () => {
  const page = await opened()
  const forged = await page.context().newPage()
  await forged.goto(`${SERVER}/?code=stolen&state=guessed`)
  await forged.getByText('The page that asked for this sign-in is gone.').waitFor()
  assert.equal(forged.url(), `${SERVER}/`)
  await page.getByRole('button', { name: 'Sign in at' }).waitFor()
  await forged.getByRole('link', { name: 'Begin again.' }).click()
  await forged.getByRole('button', { name: 'Sign in at' }).waitFor()
})

test('a token can be pasted instead', async () => {
  const page = await opened()
  await page.getByText('Paste a token instead').click()
  await page.getByLabel('Your token').fill('no token')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('dialog', { name: 'Sign in again' }).waitFor()
})
