/** LangGraph's threads: the user's conversations. */
import { session } from '../session'
import { ask } from './client'
import type { Decision, Episode, Persona } from './types'

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
  system_prompt?: string
  decision?: Decision | null
  warnings?: string[]
}

export interface Thread {
  thread_id: string
  updated_at: string
  status: string
  metadata: { title?: string; incognito?: boolean; graph_id?: string }
  values?: Turn | null
}

interface State {
  values: Turn
  checkpoint: unknown
}

const MOST_LISTED = 100
const STATES_AT_ONCE = 10
const MOST_STATES = 500
export const TITLE_CHARS = 60

/** The user's conversations, the latest first. */
export async function listThreads(): Promise<Thread[]> {
  const metadata = { owner: session.user.value }
  const json = { metadata, limit: MOST_LISTED, sort_by: 'updated_at', sort_order: 'desc' }
  const threads = await ask<Thread[]>('/threads/search', { method: 'POST', json })
  return threads.filter((each) => each.metadata.graph_id !== 'alignment')
}

export async function createThread(question: string, incognito: boolean): Promise<Thread> {
  // A server without tokens does not note the owner by itself.
  const metadata = { owner: session.user.value, title: titleOf(question), incognito }
  return ask('/threads', { method: 'POST', json: { metadata } })
}

export function titleOf(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ')
  return line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS - 1)}…` : line
}

export async function renameThread(id: string, title: string): Promise<void> {
  await ask(`/threads/${id}`, { method: 'PATCH', json: { metadata: { title } } })
}

export async function deleteThread(id: string): Promise<void> {
  await ask(`/threads/${id}`, { method: 'DELETE' })
}

export async function threadStatus(id: string): Promise<string> {
  return (await ask<Thread>(`/threads/${id}`)).status
}

export async function lastTurn(id: string): Promise<Turn> {
  return (await ask<State>(`/threads/${id}/state`)).values
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
