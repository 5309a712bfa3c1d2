/**
 * An issuer's answer comes back in a window of its own, and goes to the page that waits for it: so
 * nothing that was typed there is lost, and nothing of a sign-in is stored.
 */
const CHANNEL = 'sign-in'
const PATIENCE = 2000

interface Message {
  answer?: string
  taken?: string
}

/** Whether a page was opened by an issuer's answer. */
export function isAnswer(query: URLSearchParams): boolean {
  return query.has('state') && (query.has('code') || query.has('error'))
}

/** Hands the answer to the page that waits for it; whether one did. */
export function handBack(answer: URLSearchParams): Promise<boolean> {
  const channel = new BroadcastChannel(CHANNEL)
  const taken = new Promise<boolean>((resolve) => {
    setTimeout(resolve, PATIENCE, false)
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.taken === answer.get('state')) resolve(true)
    }
  })
  channel.postMessage({ answer: answer.toString() } satisfies Message)
  return taken.finally(() => channel.close())
}

/** Waits for the answer to the request with this state; returns what ends the waiting. */
export function awaitAnswer(state: string, take: (answer: URLSearchParams) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    const answer = new URLSearchParams(data.answer)
    if (answer.get('state') !== state) return
    channel.postMessage({ taken: state } satisfies Message)
    channel.close()
    take(answer)
  }
  return () => channel.close()
}
