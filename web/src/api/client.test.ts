import { afterEach, expect, test, vi } from 'vitest'

import { attempt, notice } from '../notices'
import { session } from '../session'
import { ask, Left, send } from './client'

/** A server that answers when it is told to, with this status. */
function slowServer(status = 200): () => void {
  let answer = () => {}
  const answered = new Promise<Response>((resolve) => {
    answer = () => resolve(new Response('{"detail": "of ana"}', { status }))
  })
  vi.stubGlobal('fetch', () => answered)
  return answer
}

afterEach(() => {
  vi.unstubAllGlobals()
  notice.value = undefined
})

test.each([200, 404])('what comes back for a person who has left (%i) reaches nobody', async (status) => {
  session.signInAs('ana')
  const answer = slowServer(status)
  const asked = [ask('/me/episodes'), send('/me/episodes')]
  const shown = attempt(() => ask('/me/episodes'))
  session.signInAs('ben')
  answer()
  for (const each of asked) await expect(each).rejects.toBeInstanceOf(Left)
  expect(await shown).toBe(false)
  expect(notice.value).toBeUndefined()
})

test('what comes back for the person at the page is theirs', async () => {
  session.signInAs('ana')
  const answer = slowServer()
  const asked = ask('/me/episodes')
  answer()
  expect(await asked).toEqual({ detail: 'of ana' })
})

test('what was asked before anybody was there may come later', async () => {
  session.user.value = ''
  const answer = slowServer()
  const asked = ask('/config')
  session.signInAs('ana')
  answer()
  expect(await asked).toEqual({ detail: 'of ana' })
})
