import { useEffect, useRef } from 'preact/hooks'

import type { Message } from '../api/threads'
import { MarkdownText } from '../shared/markdown-text'
import { t } from '../texts'
import { Answer } from './answer'
import { answering, problem, sayAgain, spoken } from './conversation'
import { Notes } from './notes'
import { Question } from './question'

/** The conversation, and the answer under way. Screen readers are told of whole answers only. */
export function Messages() {
  const end = useRef<HTMLDivElement>(null)
  const text = answering.value?.text
  useEffect(() => end.current?.scrollIntoView({ block: 'end' }), [spoken.value.length, text])
  return (
    <div class="messages" role="log" aria-label={t().chat.messages} aria-busy={answering.value !== undefined} tabIndex={0}>
      {spoken.value.length === 0 && !answering.value && <p class="quiet">{t().chat.empty}</p>}
      {spoken.value.map((each, place) =>
        each.type === 'human' ? (
          <Question key={each.id} message={each} />
        ) : (
          <Answer key={each.id} message={each} question={questionOf(place)} isLast={place === spoken.value.length - 1} />
        ),
      )}
      {answering.value && <Coming />}
      {!answering.value && <Notes />}
      {problem.value && <Problem />}
      <div ref={end} />
    </div>
  )
}

function questionOf(place: number): Message | undefined {
  return spoken.value.slice(0, place).findLast((each) => each.type === 'human')
}

function Coming() {
  const { text, tools } = answering.value!
  return (
    <article class="agent" aria-label={t().chat.agent}>
      {tools.map((name, place) => (
        <p class="quiet" key={place}>
          {t().chat.tool(name)}
        </p>
      ))}
      {text ? <MarkdownText text={text} /> : <p class="quiet waiting">{t().chat.answering}</p>}
    </article>
  )
}

function Problem() {
  const question = spoken.value.at(-1)
  return (
    <div class="problem" role="alert">
      <p>{problem.value}</p>
      {question?.type === 'human' && !answering.value && (
        <button type="button" onClick={() => void sayAgain(question)}>
          {t().chat.retry}
        </button>
      )}
    </div>
  )
}
