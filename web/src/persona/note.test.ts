import { expect, test } from 'vitest'

import type { Persona } from '../api/types'
import { noteOf } from './note'

const pair = (part: string, before: number | null, after: number | null) => ({ episode: 'e', part, before, after })

function persona(author: string, note: string, pairs?: object[]): Persona {
  return { author, note, proof: pairs && { run: 'r', mode: 'gated', pairs } } as unknown as Persona
}

test('a version says in words why it is there', () => {
  const learned = [pair('batch', 0.5, 0), pair('batch', 0.3, 0.2), pair('batch', null, 1), pair('holdout', 0.25, 0.2)]
  expect(noteOf(persona('alignment', 'gated: loss', learned))).toMatch(/from 60% to 90% .* from 75% to 80% with questions/)
  expect(noteOf(persona('alignment', 'gated: loss', [pair('batch', 0.5, 0)]))).toMatch(/to 100% near to what you wanted\.$/)
  expect(noteOf(persona('alignment', 'weights', []))).toBe('weights')
  expect(noteOf(persona('user', 'rolled back to version 1'))).toBe('rolled back to version 1')
  expect(noteOf(persona('initial', 'from the template'))).toBe('')
})
