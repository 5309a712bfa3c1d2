/** HTTP: every request of the page goes through here, to the server that it came from. */
import { session } from '../session'

/** What the server refused, or could not do: its own sentence and the status (0: no answer). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** What came back for a person who is not the one at the page any more: nobody is to see it. */
export class Left extends Error {}

export interface Ask {
  method?: string
  json?: unknown
  body?: Blob
  signal?: AbortSignal
}

/** The JSON that the server answers with; throws as `send` does. */
export async function ask<Answer>(path: string, options: Ask = {}): Promise<Answer> {
  const asker = session.user.value
  const response = await send(path, options)
  const text = await response.text()
  checkStays(asker)
  return (text ? JSON.parse(text) : undefined) as Answer
}

/**
 * The response itself, for what is streamed; throws `Refused` for a status of 400 and above, `Left` if
 * another person is at the page by then. What came with a token that has expired waits for another one,
 * and is sent again.
 */
export async function send(path: string, options: Ask = {}): Promise<Response> {
  const asker = session.user.value
  await session.keepFresh()
  for (let isFirst = true; ; isFirst = false) {
    const who = session.headers()
    const response = await reach(path, options, who)
    const again = response.status === 401 && (await session.another(who, isFirst))
    checkStays(asker)
    if (response.ok) return response
    if (!again) throw new Refused(response.status, await sentence(response))
  }
}

/** Throws `Left` where somebody asked who is not at the page any more. */
function checkStays(asker: string): void {
  if (asker && session.user.value !== asker) throw new Left()
}

async function reach(path: string, { method = 'GET', json, body, signal }: Ask, who: Record<string, string>): Promise<Response> {
  const headers = { ...who }
  if (json !== undefined) headers['Content-Type'] = 'application/json'
  const content = json === undefined ? body : JSON.stringify(json)
  try {
    return await fetch(path, { method, headers, body: content ?? null, signal: signal ?? null })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Refused(0, '')
  }
}

async function sentence(response: Response): Promise<string> {
  try {
    const { detail } = (await response.json()) as { detail?: unknown }
    return typeof detail === 'string' ? detail : response.statusText
  } catch {
    return response.statusText
  }
}
