import { expect, test } from 'vitest'

import { stacks } from './stacks'

const cost = (input_tokens: number, price: number | null = null) => ({ calls: 1, input_tokens, output_tokens: 1, price })
const DAYS = [
  { day: '2026-10-24', by_purpose: { answers: cost(9, 0.5), learning: cost(19, 1) } },
  { day: '2026-10-27', by_purpose: { answers: cost(4, 0.25) } },
]

test('each day has a stack, also those without a cost and where clocks change', () => {
  const found = stacks(DAYS, false)
  expect(found.map(({ day, total }) => [day, total])).toEqual([
    ['2026-10-24', 30],
    ['2026-10-25', 0],
    ['2026-10-26', 0],
    ['2026-10-27', 5],
  ])
  expect(found[0]!.parts).toEqual([
    { purpose: 'answers', from: 0, amount: 10 },
    { purpose: 'learning', from: 10, amount: 20 },
  ])
})

test('with prices the stacks are of money', () => {
  expect(stacks(DAYS, true).map(({ total }) => total)).toEqual([1.5, 0, 0, 0.25])
  expect(stacks([], true)).toEqual([])
})
