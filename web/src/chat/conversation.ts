/** The conversation that is shown: its messages, and the answer that comes in. */
import { computed, signal } from '@preact/signals'

import { Refused } from '../api/client'
import { cancelRun, streamRun } from '../api/runs'
import { createThread, deleteThread, lastTurn, messagesAfter, textOf, threadStatus, type Message, type Turn } from '../api/threads'
import { newId } from '../ids'
import { sentenceOf } from '../notices'
import { go } from '../route'
import { t } from '../texts'
import { loadThreads } from './threads'

const POLL = 1500

/** An answer under way. */
interface Answering {
  text: string
  tools: string[]
  run?: string
}

export const thread = signal('')
export const turn = signal<Turn>({})
export const answering = signal<Answering | undefined>(undefined)
export const problem = signal('')
export const incognito = signal(false)

const messages = computed(() => turn.value.messages ?? [])
/** What people see of a thread: questions and answers, without calls of tools. */
export const spoken = computed(() =>
  messages.value.filter((each) => each.type === 'human' || (each.type === 'ai' && textOf(each).trim())),
)

let hangUp = new AbortController()
let stopped = false

/** Shows a thread, or with an empty id a new conversation. */
export async function open(id: string): Promise<void> {
  if (id === thread.value && (id || !turn.value.messages)) return
  leave()
  thread.value = id
  if (!id) return
  const { signal: left } = hangUp
  try {
    await reload(left)
    while (!left.aborted && (await threadStatus(id)) === 'busy') await answerElsewhere(left)
  } catch (error) {
    if (!left.aborted) problem.value = sentenceOf(error)
  }
  if (!left.aborted) answering.value = undefined
}

/** Shows what another tab has said since. */
export async function refresh(): Promise<void> {
  if (thread.value && !answering.value && !problem.value) await reload(hangUp.signal).catch(() => undefined)
}

/** Another tab asked, or this one was reloaded: wait for the answer. */
async function answerElsewhere(left: AbortSignal): Promise<void> {
  answering.value = { text: '', tools: [] }
  await pause()
  if (!left.aborted) await reload(left)
}

/** Leaves the conversation; one that is incognito is deleted. */
export function leave(): void {
  hangUp.abort()
  hangUp = new AbortController()
  if (incognito.value && thread.value) void deleteThread(thread.value).catch(() => undefined)
  thread.value = ''
  turn.value = {}
  answering.value = undefined
  problem.value = ''
  incognito.value = false
}

/** Asks; `instead` is an earlier message of the user, from which on everything is replaced. */
export async function say(text: string, instead?: Message): Promise<void> {
  if (answering.value || !text.trim()) return
  const { signal: left } = hangUp
  const question = { id: instead?.id ?? newId(), type: 'human', content: text }
  const kept = instead ? messages.value.indexOf(instead) : messages.value.length
  turn.value = { messages: [...messages.value.slice(0, kept), question] }
  answering.value = { text: '', tools: [] }
  problem.value = ''
  stopped = false
  try {
    const id = await ownThread(left)
    const after = instead ? await messagesAfter(id, instead.id) : []
    await stream(id, [...after.map((each) => ({ id: each, type: 'remove', content: '' })), question], left)
  } catch (error) {
    const isBusy = error instanceof Refused && error.status === 409
    const answered = isBusy && (await answeredElsewhere(question, left).catch(() => false))
    if (!left.aborted && !answered) problem.value = sentenceOf(error)
  }
  if (!left.aborted) await settle(left)
}

/** An answer is under way, for another tab or since before a restart; whether it was to this question. */
async function answeredElsewhere(question: Message, left: AbortSignal): Promise<boolean> {
  while (!left.aborted && (await threadStatus(thread.value)) === 'busy') await pause()
  const read = await lastTurn(thread.value)
  if (left.aborted) return false
  const { messages: stored = [] } = read
  const answered = stored.some((each) => each.id === question.id)
  turn.value = answered ? read : { ...read, messages: [...stored, question] }
  return answered
}

const pause = () => new Promise((resolve) => setTimeout(resolve, POLL))

/** Answers the question anew that led to this answer, or that has none. */
export async function sayAgain(question: Message): Promise<void> {
  await say(textOf(question), question)
}

export async function stop(): Promise<void> {
  stopped = true
  const run = answering.value?.run
  if (run) await cancelRun(thread.value, run).catch(() => undefined)
}

async function ownThread(left: AbortSignal): Promise<string> {
  if (thread.value) return thread.value
  const id = await createThread(incognito.value)
  if (left.aborted) throw new Refused(0, '')
  thread.value = id
  go('chat', id)
  return id
}

async function stream(id: string, asked: unknown[], left: AbortSignal): Promise<void> {
  const change = (part: Partial<Answering>) => {
    if (!left.aborted && answering.value) answering.value = { ...answering.value, ...part }
  }
  const context = incognito.value ? { incognito: true } : {}
  await streamRun(id, asked, context, {
    started: (run) => {
      change({ run })
      if (stopped) void stop()
    },
    text: (piece) => change({ text: (answering.value?.text ?? '') + piece }),
    tool: (name) => change({ tools: [...(answering.value?.tools ?? []), name], text: '' }),
    failed: (sentence) => (problem.value = stopped || left.aborted ? '' : sentence || t().chat.failed),
  }, left)
}

/** The server's checkpoint is the truth about what was said. */
async function settle(left: AbortSignal): Promise<void> {
  // What has not begun has stored nothing: what was asked stays in view, to be sent again.
  if (answering.value?.run) await reload(left, turn.value.messages).catch(() => undefined)
  if (left.aborted) return
  answering.value = undefined
  const last = spoken.value.at(-1)
  if (last?.type === 'human' && !problem.value) problem.value = stopped ? t().chat.stopped : t().chat.failed
  if (!incognito.value) void loadThreads()
}

async function reload(left: AbortSignal, asked: Message[] = []): Promise<void> {
  const read = await lastTurn(thread.value)
  if (left.aborted) return
  // A run may have failed before its first checkpoint.
  turn.value = (read.messages ?? []).length < asked.length ? { ...read, messages: asked } : read
}
