import { useEffect, useRef, useState } from 'preact/hooks'

import type { OpenId } from '../api/types'
import { session } from '../session'
import { t } from '../texts'
import { awaitAnswer } from './answers'
import type { SignInFailed, SigningIn } from './openid'

const WINDOW = 'popup,width=520,height=720'

/** Signs in at the issuer, in a window of its own. */
export function AtIssuer({ openid }: { openid: OpenId }) {
  const [note, setNote] = useState('')
  const stopWaiting = useRef<() => void>(undefined)
  const host = new URL(openid.issuer).host
  const words = t().signIn
  useEffect(() => () => stopWaiting.current?.(), [])

  const failed = (error: unknown) => setNote(sentenceOf(error, host))
  const finish = async (signingIn: SigningIn, answer: URLSearchParams) => {
    setNote(words.loading)
    await signingIn.finish(answer).then(session.signInWith, failed)
  }
  const go = async () => {
    stopWaiting.current?.()
    // The window must open at once, or the browser takes it for an advertisement.
    const opened = window.open('', '_blank', WINDOW)
    if (!opened) return setNote(words.blocked)
    setNote(words.waiting(host))
    try {
      const { begin } = await import('./openid')
      const signingIn = await begin(openid)
      stopWaiting.current = awaitAnswer(signingIn.state, (answer) => void finish(signingIn, answer))
      opened.location.href = signingIn.address
    } catch (error) {
      opened.close()
      failed(error)
    }
  }
  return (
    <div>
      <button type="button" class="main" onClick={() => void go()}>
        {words.at(host)}
      </button>
      <p role="status" class={note ? undefined : 'quiet'}>
        {note || words.issuerHint}
      </p>
    </div>
  )
}

function sentenceOf(error: unknown, host: string): string {
  const { reason, detail } = error as Partial<SignInFailed>
  return reason ? t().signIn.failed[reason](host, detail ?? '') : t().noAnswer
}
