/** Our routes of the persona and the profile. */
import { ask } from './client'
import type { Difference, Page, Persona, Profile, Receipt, ShownPrompt, Statement } from './types'

const rule = (id: string) => `/me/persona/rules/${encodeURIComponent(id)}/lock`
const statement = (id: string) => `/me/profile/statements/${encodeURIComponent(id)}`
const lockBy = (locked: boolean) => ({ method: locked ? 'PUT' : 'DELETE' })

export interface RuleEdit {
  add?: string[]
  replace?: Record<string, string>
  remove?: string[]
  /** The version that was looked at: a newer one refuses the edit. */
  version: number
}

export const showPersona = () => ask<Persona>('/me/persona')

export const listVersions = (cursor = '') =>
  ask<Page<Persona>>(`/me/persona/versions${cursor && `?cursor=${encodeURIComponent(cursor)}`}`)

export const compareVersions = (before: number, after: number) =>
  ask<Difference>(`/me/persona/diff?before=${before}&after=${after}`)

export const editRules = (edit: RuleEdit) => ask<Persona>('/me/persona/edits', { method: 'POST', json: edit })

export const lockRule = (id: string, locked: boolean) => ask<Persona>(rule(id), lockBy(locked))

export const rollBack = (version: number) =>
  ask<Persona>('/me/persona/rollback', { method: 'POST', json: { version } })

export const showProfile = () => ask<Profile>('/me/profile')

export const addStatement = (text: string) =>
  ask<Statement[]>('/me/profile/statements', { method: 'POST', json: { texts: [text] } })

export const editStatement = (id: string, text: string) =>
  ask<Statement>(statement(id), { method: 'PUT', json: { text } })

export const lockStatement = (id: string, locked: boolean) =>
  ask<Statement>(`${statement(id)}/lock`, lockBy(locked))

export const forgetStatement = (id: string) => ask<Receipt>(statement(id), { method: 'DELETE' })

/** The very prompt that a question would be asked with; an empty one, what is told with any. */
export const showPrompt = (text: string) => ask<ShownPrompt>('/me/prompt', { method: 'POST', json: { text } })
