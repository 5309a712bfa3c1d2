import { expect, test } from 'vitest'

import { asSent, staysOutOf } from '../api/memory'
import { NO_FILTER } from './episodes'

test('what is not set is not asked for', () => {
  expect(asSent(NO_FILTER)).toEqual({})
})

test.each([
  [{ task: 'films' }, { task: 'films' }],
  [{ source: 'import' }, { source: 'import' }],
  [{ from: '2026-03-29' }, { since: new Date('2026-03-29T00:00').toISOString() }],
  [{ to: '2026-03-29' }, { until: new Date('2026-03-30T00:00').toISOString() }],
])('a day begins and ends where the reader is: %j', (chosen, sent) => {
  expect(asSent({ ...NO_FILTER, ...chosen })).toEqual(sent)
})

test('a memory stays out of the questions that it is marked for, long ones too', () => {
  const long = `${'word '.repeat(400)}and more`
  const memory = { irrelevant_to: ['What is my dog called?', 'word '.repeat(400).trim()] }
  expect(staysOutOf(memory, ' What is my dog called?\n')).toBe(true)
  expect(staysOutOf(memory, long)).toBe(true)
  expect(staysOutOf(memory, 'What is my cat called?')).toBe(false)
  expect(staysOutOf({}, long)).toBe(false)
})
