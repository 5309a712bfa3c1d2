/** Our routes of learning: runs of alignment, and what they propose. */
import { ask } from './client'
import type { Page, RunDetails, RunSummary } from './types'

export interface OwnRule {
  id?: string
  text: string
}

export type Decision =
  | { decision: 'approve' }
  | { decision: 'refuse' }
  | { decision: 'edit'; rules: OwnRule[] }

export const listRuns = (cursor = '') =>
  ask<Page<RunSummary>>(`/me/alignments${cursor && `?cursor=${encodeURIComponent(cursor)}`}`)

export const showRun = (id: string) => ask<RunDetails>(`/me/alignments/${id}`)

/** Learns from what the user wanted; nothing is published before they approve. */
export const startRun = () => ask<RunSummary>('/me/alignments', { method: 'POST', json: { approve: true } })

export const decide = (decision: Decision) =>
  ask<RunSummary>('/me/alignments/decision', { method: 'POST', json: decision })
