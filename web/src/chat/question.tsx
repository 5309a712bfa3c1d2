import { useState } from 'preact/hooks'

import { textOf, type Message } from '../api/threads'
import { TextForm } from '../shared/text-form'
import { t } from '../texts'
import { answering, say } from './conversation'

/** A message of the user, which can be written anew: the conversation goes on from there. */
export function Question({ message }: { message: Message }) {
  const [editing, setEditing] = useState(false)
  const text = textOf(message)
  const send = (changed: string) => {
    setEditing(false)
    void say(changed, message)
  }
  return (
    <article class="user" aria-label={t().chat.you}>
      {editing ? (
        <TextForm label={t().edit} text={text} action={t().chat.send} onSend={send} onCancel={() => setEditing(false)} />
      ) : (
        <>
          <p class="own-words">{text}</p>
          {!answering.value && (
            <button type="button" class="small" onClick={() => setEditing(true)}>
              {t().edit}
            </button>
          )}
        </>
      )}
    </article>
  )
}
