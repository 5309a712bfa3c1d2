import { afterEach, beforeEach, expect, test } from 'vitest'

import { nameIn, session, type Credential } from './session'

const tokenOf = (user: string, more = '') => `x.${btoa(JSON.stringify({ sub: user, more }))}.y`
const TOKEN = tokenOf('ana')
const NEW = tokenOf('ana', 'new')

beforeEach(() => (session.needsToken.value = true))
afterEach(async () => {
  await session.signOut()
  session.needsToken.value = undefined
})

const renewable = (renew: () => Promise<Credential>) => session.signInWith({ token: TOKEN, renew })

test('a token is sent, and stands neither in the address nor in any storage', () => {
  session.signInWith({ token: TOKEN })
  expect(session.headers()).toEqual({ Authorization: `Bearer ${TOKEN}` })
  expect(session.user.value).toBe('ana')
  expect(location.href).not.toContain(TOKEN)
  expect(localStorage.length + sessionStorage.length).toBe(0)
})

test('what was sent with a refused token waits until the same person has signed in again', async () => {
  session.signInWith({ token: TOKEN })
  const again = session.another(session.headers(), true)
  await Promise.resolve()
  expect([session.known(), session.refused.value]).toEqual([true, true])
  session.signInWith({ token: NEW })
  expect(await again).toBe(true)
  expect(session.refused.value).toBe(false)
})

test.each<[string, () => unknown]>([
  ['somebody else signs in', () => session.signInWith({ token: tokenOf('ben') })],
  ['they sign out', () => session.signOut()],
  ['they do not want to', () => session.decline()],
])('it is not sent again if %s', async (_, happens) => {
  session.signInWith({ token: TOKEN })
  const again = session.another(session.headers(), true)
  await Promise.resolve()
  happens()
  expect(await again).toBe(false)
  expect(session.refused.value).toBe(false)
})

test('who puts it off is not asked with each request, but when they want to', async () => {
  session.signInWith({ token: TOKEN })
  session.decline()
  expect(await session.another(session.headers(), true)).toBe(false)
  session.askAgain()
  expect([session.refused.value, session.declined.value]).toEqual([true, false])
  session.signInWith({ token: NEW })
  expect([session.refused.value, session.declined.value]).toEqual([false, false])
})

test('a token is renewed once for all who wait, and nobody is asked', async () => {
  let asked = 0
  renewable(async () => {
    asked++
    return { token: NEW }
  })
  const sent = session.headers()
  expect(await Promise.all([session.another(sent, true), session.another(sent, true)])).toEqual([true, true])
  expect(session.headers()).toEqual({ Authorization: `Bearer ${NEW}` })
  expect(await session.another(sent, true)).toBe(true) // refused with the old one
  expect([asked, session.refused.value]).toEqual([1, false])
})

test('a person is asked if a token cannot be renewed, or if the new one is refused too', async () => {
  renewable(() => Promise.reject(new Error('expired')))
  const failed = session.another(session.headers(), true)
  await expect.poll(() => session.refused.value).toBe(true)
  renewable(() => Promise.resolve({ token: NEW }))
  expect(await failed).toBe(true)
  const refused = session.another(session.headers(), false)
  await expect.poll(() => session.refused.value).toBe(true)
  session.decline()
  expect(await refused).toBe(false)
})

test('who signs out while a token is renewed stays signed out', async () => {
  let renewed = (_: Credential) => {}
  renewable(() => new Promise((resolve) => (renewed = resolve)))
  const again = session.another(session.headers(), true)
  await session.signOut()
  renewed({ token: NEW })
  expect(await again).toBe(false)
  expect([session.known(), session.refused.value]).toEqual([false, false])
})

test('a token that is about to expire is renewed before it is sent', async () => {
  session.signInWith({ token: TOKEN, isStale: () => true, renew: () => Promise.resolve({ token: NEW }) })
  await session.keepFresh()
  expect(session.headers()).toEqual({ Authorization: `Bearer ${NEW}` })
})

test('signing out tells where the person is signed out at the issuer too', async () => {
  session.signInWith({ token: TOKEN, name: 'Ana', end: () => Promise.resolve('https://login.example/out') })
  expect(session.name.value).toBe('Ana')
  expect(await session.signOut()).toBe('https://login.example/out')
  expect([session.headers(), session.name.value]).toEqual([{}, ''])
})

test('without tokens the name is sent, and a refusal asks nobody', async () => {
  session.needsToken.value = false
  session.signInAs('béa')
  expect(session.headers()).toEqual({ 'X-User-Id': 'béa' })
  expect(session.known()).toBe(true)
  expect(await session.another(session.headers(), true)).toBe(false)
})

test.each(['', 'no token', 'a.b.c', '..'])('%j names nobody', (text) => expect(nameIn(text)).toBe(''))
