/** LangGraph's threads: the user's conversations. */
import { session } from '../session'
import { ask } from './client'
import type { Decision, Episode, Page, Persona, Profile, ThreadSummary } from './types'

export interface Message {
  id: string
  type: string
  content: string | { type: string; text?: string }[]
  name?: string | null
  tool_calls?: { name: string }[]
  additional_kwargs?: Record<string, unknown>
}

/** What the checkpoint at the end of a turn holds. */
export interface Turn {
  messages?: Message[]
  episode_id?: string
  recalled?: Episode[]
  persona?: Persona
  profile?: Profile
  system_prompt?: string
  decision?: Decision | null
  warnings?: string[]
}

interface State {
  values: Turn
  checkpoint: unknown
}

const STATES_AT_ONCE = 10
const MOST_STATES = 500
/** The title of a thread that is not listed, because it goes when it is left. */
export const UNLISTED = ''

/** The user's conversations whose title, questions or answers hold a text, the latest first. */
export function listThreads(search: string, cursor = ''): Promise<Page<ThreadSummary>> {
  const query = new URLSearchParams({ search, ...(cursor && { cursor }) })
  return ask(`/me/threads?${query}`)
}

/** A new thread; the server gives it a title with its first question. */
export async function createThread(incognito: boolean): Promise<string> {
  // A server without tokens does not note the owner by itself.
  const metadata = { owner: session.user.value, ...(incognito && { title: UNLISTED }) }
  const { thread_id } = await ask<{ thread_id: string }>('/threads', { method: 'POST', json: { metadata } })
  return thread_id
}

export async function renameThread(id: string, title: string): Promise<void> {
  await ask(`/threads/${id}`, { method: 'PATCH', json: { metadata: { title } } })
}

export async function deleteThread(id: string): Promise<void> {
  await ask(`/threads/${id}`, { method: 'DELETE' })
}

export async function threadStatus(id: string): Promise<string> {
  return (await ask<{ status: string }>(`/threads/${id}`)).status
}

export async function lastTurn(id: string): Promise<Turn> {
  return (await ask<State>(`/threads/${id}/state`)).values
}

/** The ids of what follows a message, as the server has it: another tab may have gone on. */
export async function messagesAfter(thread: string, message: string): Promise<string[]> {
  const ids = ((await lastTurn(thread)).messages ?? []).map((each) => each.id)
  return ids.includes(message) ? ids.slice(ids.indexOf(message) + 1) : []
}

/** The turn that ended with this answer: the newest checkpoint whose last message it is. */
export async function turnOf(thread: string, answer: string): Promise<Turn | undefined> {
  let before: unknown
  for (let read = 0; read < MOST_STATES; read += STATES_AT_ONCE) {
    const json = { limit: STATES_AT_ONCE, ...(before ? { before } : {}) }
    const states = await ask<State[]>(`/threads/${thread}/history`, { method: 'POST', json })
    const found = states.find(({ values }) => values.messages?.at(-1)?.id === answer)
    if (found) return found.values
    const last = states.at(-1)
    if (!last) return undefined
    before = { configurable: last.checkpoint }
  }
  return undefined
}

/** The text of a message, without pictures and the like. */
export function textOf({ content }: Pick<Message, 'content'>): string {
  if (typeof content === 'string') return content
  return content.map((part) => part.text ?? '').join('')
}
