import { PURPOSES, type Purpose } from '../api/scorecard'
import type { CostReport } from '../api/types'

export interface Part {
  purpose: Purpose
  from: number
  amount: number
}

export interface Stack {
  day: string
  total: number
  parts: Part[]
}

const DAY = 24 * 3600 * 1000

/** A stack for every day from the first to the last, days without any cost too. */
export function stacks(days: CostReport['days'], priced: boolean): Stack[] {
  if (!days.length) return []
  const byDay = new Map(days.map((each) => [each.day, each.by_purpose]))
  const [first, last] = [Date.parse(days[0]!.day), Date.parse(days.at(-1)!.day)]
  const count = Math.round((last - first) / DAY) + 1
  return Array.from({ length: count }, (_, place) => {
    const day = new Date(first + place * DAY).toISOString().slice(0, 10)
    return { day, ...stacked(byDay.get(day) ?? {}, priced) }
  })
}

function stacked(costs: CostReport['days'][number]['by_purpose'], priced: boolean): Omit<Stack, 'day'> {
  let total = 0
  const parts = PURPOSES.filter((each) => costs[each]).map((purpose) => {
    const { price, input_tokens, output_tokens } = costs[purpose]!
    const part = { purpose, from: total, amount: priced ? (price ?? 0) : input_tokens + output_tokens }
    total += part.amount
    return part
  })
  return { total, parts }
}
