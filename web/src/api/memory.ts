/** Our routes below `/me`: what is remembered of the user. */
import { ask } from './client'
import type { Episode, ForgetPreview, Imported, ImportPreview, ImportStatus, ListedForgettings, Page, Receipt, Undoable } from './types'

const MARK_CHARS = 2000

const at = (id: string) => `/me/episodes/${encodeURIComponent(id)}`

export const showEpisode = (id: string) => ask<Episode>(at(id))

export const forgetEpisode = (id: string) => ask<Receipt>(at(id), { method: 'DELETE' })

export const previewForgetting = (id: string) => ask<ForgetPreview>(`${at(id)}/forgetting`)

/** What the user wanted instead of an answer; without a text, only that it was not this. */
export function correct(id: string, text: string): Promise<Episode> {
  const json = text.trim() ? { signal: 'edit', text } : { signal: 'reject' }
  return ask(`${at(id)}/feedback`, { method: 'PUT', json })
}

export function accept(id: string): Promise<Episode> {
  return ask(`${at(id)}/feedback`, { method: 'PUT', json: { signal: 'accept' } })
}

/** Says whether a memory bears on a question: what does not is not recalled for questions like it. */
export function sayRelevance(id: string, question: string, relevant: boolean): Promise<Episode> {
  return ask(`${at(id)}/relevance`, { method: 'PUT', json: { question, relevant } })
}

/** Whether a memory stays out of a question. The server keeps the beginning of a long one. */
export function staysOutOf({ irrelevant_to: marks = [] }: Partial<Episode>, question: string): boolean {
  return marks.includes([...question.trim()].slice(0, MARK_CHARS).join('').trim())
}

/** What was forgotten, the latest first. */
export function listForgettings(cursor?: string): Promise<ListedForgettings> {
  return ask(`/me/forgettings${cursor ? `?${new URLSearchParams({ cursor })}` : ''}`)
}

export const lastChange = () => ask<Undoable>('/me/undo')

export function undo(key: string): Promise<Undoable> {
  return ask('/me/undo', { method: 'POST', json: { key } })
}

export interface EpisodeFilter {
  task: string
  source: string
  labelled: boolean
  /** The first and the last day, as YYYY-MM-DD; empty: any. */
  from: string
  to: string
}

/** The memories, newest first. */
export function listEpisodes(filter: EpisodeFilter, cursor?: string): Promise<Page<Episode>> {
  const query = new URLSearchParams({ ...asSent(filter), labelled: String(filter.labelled), ...(cursor && { cursor }) })
  return ask(`/me/episodes?${query}`)
}

/** What the agent would recall for a text, the nearest first; of that, what passes the filter. */
export function searchEpisodes(text: string, top_k: number, filter: EpisodeFilter): Promise<Episode[]> {
  const json = { text, top_k, ...asSent(filter), labelled: filter.labelled }
  return ask('/me/episodes/search', { method: 'POST', json })
}

/** What of a filter is set, as our routes name it. */
export function asSent({ task, source, from, to }: EpisodeFilter): Record<string, string> {
  return {
    ...(task && { task }),
    ...(source && { source }),
    ...(from && { since: startOf(from).toISOString() }),
    ...(to && { until: dayAfter(to).toISOString() }),
  }
}

/** When a day begins where the reader is. */
const startOf = (day: string) => new Date(`${day}T00:00`)

function dayAfter(day: string): Date {
  const next = startOf(day)
  next.setDate(next.getDate() + 1)
  return next
}

export function previewImport(file: Blob): Promise<ImportPreview> {
  return ask('/me/import?dry_run=true', { method: 'POST', body: file })
}

export function importFile(file: Blob): Promise<Imported> {
  return ask('/me/import', { method: 'POST', body: file })
}

/** The imports under way, and previews. */
export const showImports = () => ask<ImportStatus[]>('/me/import')

export const cancelImports = () => ask<ImportStatus[]>('/me/import', { method: 'DELETE' })

interface Pause {
  paused: boolean
}

export const showPause = () => ask<Pause>('/me/remembering')

/** Pauses what is remembered of turns, or goes on with it. */
export const pauseRemembering = (paused: boolean) => ask<Pause>('/me/remembering', { method: 'PUT', json: { paused } })
