import { expect, test } from 'vitest'

import type { RunDetails } from '../api/types'
import { headline } from './headline'

const RULE = { id: 'r4', text: 'Be brief.', evidence: [], locked: false }

function run(result: object | null, more: object = {}): RunDetails {
  const whole = { from_version: 1, to_version: 1, stopped_by: 'rounds', rules_before: [], rules_after: [], weights_before: [], weights_after: [] }
  return { id: 'x', status: 'success', created_at: '', problem: null, proposal: null, result: result && { ...whole, ...result }, ...more } as unknown as RunDetails
}

test.each([
  [run({ to_version: 2, rules_after: [RULE] }), /Published as version 2/],
  [run({ rules_after: [RULE] }), /you refused it/],
  [run({}), /proved better/],
  [run({ stopped_by: 'labels' }), /too few/],
  [run({ stopped_by: 'conflict', rules_after: [RULE] }), /meanwhile/],
  [run(null), /asked you/],
  [run(null, { status: 'running' }), /no result/],
  [run(null, { status: 'error', problem: 'The model is down.' }), /^The model is down\.$/],
])('a run says what came of it, %#', (details, sentence) => {
  expect(headline(details)).toMatch(sentence)
})
