/** Our routes below `/me`: what is remembered of the user. */
import { ask } from './client'
import type { Episode, ForgetPreview, Receipt, Undoable } from './types'

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

export const lastChange = () => ask<Undoable>('/me/undo')

export function undo(key: string): Promise<Undoable> {
  return ask('/me/undo', { method: 'POST', json: { key } })
}
