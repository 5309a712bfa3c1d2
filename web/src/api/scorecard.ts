/** Our routes of proof: the scorecard, which streams lines of JSON, how sure decisions are, and costs. */
import { ask, Refused, send } from './client'
import type { Calibration, CostReport } from './types'

export const CONDITIONS = ['none', 'rag', 'initial', 'then'] as const
export type Condition = (typeof CONDITIONS)[number]

/** What calls of a model are for. */
export const PURPOSES = ['answers', 'summaries', 'learning', 'tests'] as const
export type Purpose = (typeof PURPOSES)[number]

export interface Estimate {
  mean: number
  low: number
  high: number
}

export interface Scorecard {
  episodes: { id: string; at: string; version: number; losses: Record<Condition, number | null> }[]
  means: Record<Condition, { loss: Estimate; to_none: Estimate }>
  usage: { llm_calls: number; input_tokens: number; output_tokens: number; cached?: number }
  warnings: string[]
  helped: Helped | null
}

export interface Helped {
  verdict: 'nothing_learned' | 'not_known' | 'too_few' | 'yes' | 'no' | 'not_certain'
  version: number
  questions: number
  better: number
  worse: number
}

type Line = { done: number; of: number } | { scorecard: Scorecard } | { detail: string }

export const readCalibration = () => ask<Calibration>('/me/scorecard/calibration')

export const readCosts = (days: number) => ask<CostReport>(`/me/costs?days=${days}`)

/** Tests the newest labelled memories; what is cut off by `signal` is kept for the next time. */
export async function computeScorecard(
  limit: number,
  onProgress: (done: number, of: number) => void,
  signal: AbortSignal,
): Promise<Scorecard> {
  const response = await send(`/me/scorecard?limit=${limit}`, { method: 'POST', signal })
  let found: Scorecard | undefined
  await readLines(response.body!, (text) => {
    const line = JSON.parse(text) as Line
    if ('done' in line) onProgress(line.done, line.of)
    else if ('detail' in line) throw new Refused(500, line.detail)
    else found = line.scorecard
  })
  if (!found) throw new Refused(0, '')
  return found
}

/** Reads lines, wherever the network cuts them. */
export async function readLines(body: ReadableStream<Uint8Array>, handle: (line: string) => void): Promise<void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    rest += decoder.decode(value, { stream: !done })
    const lines = rest.split('\n')
    rest = lines.pop()!
    for (const line of done ? [...lines, rest] : lines) if (line.trim()) handle(line)
    if (done) return
  }
}
