import { sayRelevance, staysOutOf } from '../api/memory'
import type { Episode } from '../api/types'
import { attempt, tellWithUndo } from '../notices'
import { t } from '../texts'

interface Marked {
  episode: Episode
  onChanged: (episode: Episode) => void
}

/** Says that a memory did not bear on the question, or, pressed again, that it did. */
export function NotRelevant({ episode, question, onChanged }: Marked & { question: string }) {
  const out = staysOutOf(episode, question)
  const words = t().relevance
  const change = () =>
    void attempt(async () => {
      onChanged(await sayRelevance(episode.id, question, out))
      await tellWithUndo(out ? words.backAgain : words.noted)
    })
  return (
    <button type="button" class="small" aria-pressed={out} title={words.hint} onClick={change}>
      {words.not}
    </button>
  )
}

/** The questions that a memory stays out of, each with the way back. */
export function StaysOut({ episode, onChanged }: Marked) {
  const words = t().relevance
  // Threads from before there were marks hold episodes without any.
  const questions = episode.irrelevant_to ?? []
  if (!questions.length) return null
  const allow = (question: string) =>
    void attempt(async () => {
      onChanged(await sayRelevance(episode.id, question, true))
      await tellWithUndo(words.backAgain)
    })
  return (
    <>
      <p class="quiet">{words.staysOut}</p>
      <ul>
        {questions.map((each) => (
          <li key={each}>
            {each}{' '}
            <button type="button" class="small" aria-label={`${words.again}: ${each}`} onClick={() => allow(each)}>
              {words.again}
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
