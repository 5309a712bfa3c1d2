import { useEffect, useId, useRef, useState } from 'preact/hooks'

import { t } from '../texts'
import { answering, say, stop, thread } from './conversation'

/** Where the user writes: Enter sends, Shift and Enter begin a new line. */
export function Composer() {
  const [text, setText] = useState('')
  const id = useId()
  const field = useRef<HTMLTextAreaElement>(null)
  const words = t().chat
  useEffect(() => {
    // The server's answer may bring the conversation: by then the user may write elsewhere.
    if (!document.activeElement?.matches('input, textarea')) field.current?.focus()
  }, [thread.value])
  const send = (event: Event) => {
    event.preventDefault()
    if (answering.value || !text.trim()) return
    setText('')
    void say(text)
    field.current?.focus()
  }
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event)
  }
  return (
    <form class="composer" onSubmit={send}>
      <label class="hidden" for={id}>
        {words.write}
      </label>
      <textarea
        id={id}
        ref={field}
        rows={2}
        placeholder={words.write}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={key}
      />
      {answering.value ? (
        <button type="button" onClick={() => void stop()}>
          {words.stop}
        </button>
      ) : (
        <button type="submit" class="main" disabled={!text.trim()}>
          {words.send}
        </button>
      )}
    </form>
  )
}
