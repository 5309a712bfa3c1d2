import { useState } from 'preact/hooks'

import { textOf, turnOf, type Message, type Turn } from '../api/threads'
import { attempt } from '../notices'
import { MarkdownText } from '../shared/markdown-text'
import { t } from '../texts'
import { answering, incognito, sayAgain, thread, turn } from './conversation'
import { Feedback } from './feedback'
import { Why } from './why'

interface Props {
  message: Message
  question: Message | undefined
  isLast: boolean
}

/** An answer, with what it rests on and what the user thinks of it. */
export function Answer({ message, question, isLast }: Props) {
  const [origin, setOrigin] = useState<Turn | null>()
  const read = () => (isLast && turn.value.system_prompt ? Promise.resolve(turn.value) : turnOf(thread.value, message.id))
  const toggle = () =>
    origin === undefined ? void attempt(async () => setOrigin((await read()) ?? null)) : setOrigin(undefined)
  const episode = async () => (message.additional_kwargs?.episode_id as string | undefined) ?? (await read())?.episode_id
  const asked = question && !incognito.value ? textOf(question) : ''
  return (
    <article class="agent" aria-label={t().chat.agent}>
      <MarkdownText text={textOf(message)} />
      {!answering.value && (
        <div class="buttons">
          {!incognito.value && <Feedback episode={episode} />}
          {isLast && question && (
            <button type="button" class="small" onClick={() => void sayAgain(question)}>
              {t().chat.again}
            </button>
          )}
          <button type="button" class="small" aria-expanded={origin !== undefined} onClick={toggle}>
            {t().why.open}
          </button>
        </div>
      )}
      {origin !== undefined && <Why turn={origin} question={asked} />}
    </article>
  )
}
