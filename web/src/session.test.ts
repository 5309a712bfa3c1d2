import { afterEach, expect, test } from 'vitest'

import { nameIn, session } from './session'

const TOKEN = `x.${btoa(JSON.stringify({ sub: 'ana' }))}.y`

afterEach(() => {
  session.signOut()
  session.needsToken.value = undefined
})

test('a token is sent, and stands neither in the address nor in any storage', () => {
  session.needsToken.value = true
  session.signInWith(TOKEN)
  expect(session.headers()).toEqual({ Authorization: `Bearer ${TOKEN}` })
  expect(session.user.value).toBe('ana')
  expect(location.href).not.toContain(TOKEN)
  expect(localStorage.length + sessionStorage.length).toBe(0)
})

test('a token that the server refuses is dropped, and the user is asked for another', () => {
  session.needsToken.value = true
  session.signInWith(TOKEN)
  session.refuse()
  expect(session.known()).toBe(false)
  expect(session.refused.value).toBe(true)
})

test('without tokens the name is sent', () => {
  session.needsToken.value = false
  session.signInAs('béa')
  expect(session.headers()).toEqual({ 'X-User-Id': 'béa' })
  expect(session.known()).toBe(true)
})

test.each(['', 'no token', 'a.b.c', '..'])('%j names nobody', (text) => expect(nameIn(text)).toBe(''))
