/** A run of the agent's graph, streamed as server-sent events. */
import { createParser } from 'eventsource-parser'

import { ask, send } from './client'
import type { Message } from './threads'

export interface RunEvents {
  started(run: string): void
  /** A piece of the answer. */
  text(piece: string, message: string): void
  tool(name: string): void
  failed(sentence: string): void
}

interface Chunk extends Message {
  tool_call_chunks?: { name?: string | null }[]
}

/** Streams a turn until it ends; a turn goes on without us if we hang up. */
export async function streamRun(
  thread: string,
  messages: unknown[],
  context: Record<string, unknown>,
  events: RunEvents,
  signal: AbortSignal,
): Promise<void> {
  const json = {
    assistant_id: 'agent',
    input: { messages },
    context,
    stream_mode: ['messages-tuple'],
    multitask_strategy: 'reject',
    on_disconnect: 'continue',
  }
  const response = await send(`/threads/${thread}/runs/stream`, { method: 'POST', json, signal })
  await readEvents(response.body!, (event, data) => report(event, data, events))
}

export async function cancelRun(thread: string, run: string): Promise<void> {
  await ask(`/threads/${thread}/runs/${run}/cancel?action=interrupt&wait=false`, { method: 'POST' })
}

/** Reads server-sent events, each with its data as JSON. */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  handle: (event: string, data: unknown) => void,
): Promise<void> {
  const parser = createParser({
    onEvent: ({ event, data }) => handle(event ?? '', data ? JSON.parse(data) : null),
  })
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    parser.feed(decoder.decode(value, { stream: true }))
  }
}

function report(event: string, data: unknown, events: RunEvents): void {
  if (event === 'metadata') events.started((data as { run_id: string }).run_id)
  if (event === 'error') events.failed(String((data as { message?: unknown }).message ?? ''))
  if (event.startsWith('messages')) reportChunk((data as [Chunk])[0], events)
}

function reportChunk(chunk: Chunk, events: RunEvents): void {
  if (!chunk.type?.startsWith('AIMessage') && chunk.type !== 'ai') return
  for (const { name } of chunk.tool_call_chunks ?? []) if (name) events.tool(name)
  const piece = typeof chunk.content === 'string' ? chunk.content : chunk.content.map((each) => each.text ?? '').join('')
  if (piece) events.text(piece, chunk.id)
}
