import type { Turn } from '../api/threads'
import type { Decision, Episode, Persona } from '../api/types'
import { go } from '../route'
import { EpisodeCard } from '../shared/episode-card'
import { percent, t } from '../texts'
import { leave, thread } from './conversation'
import { loadThreads } from './threads'

/** So many memories are shown at once: the rules must not be far below. */
const FIRST = 3

/** What an answer rests on: memories, rules, the decision, and the very prompt. */
export function Why({ turn }: { turn: Turn | null }) {
  const words = t().why
  if (!turn) return <p class="quiet">{words.none}</p>
  const recalled = turn.recalled ?? []
  return (
    <div class="why">
      <h2>{recalled.length ? words.episodes : words.noEpisodes}</h2>
      <Memories episodes={recalled.slice(0, FIRST)} />
      {recalled.length > FIRST && (
        <details>
          <summary>{words.moreEpisodes(recalled.length - FIRST)}</summary>
          <Memories episodes={recalled.slice(FIRST)} />
        </details>
      )}
      {turn.persona && <Rules persona={turn.persona} />}
      {turn.decision && <Chances decision={turn.decision} />}
      {turn.system_prompt && (
        <details>
          <summary>{words.prompt}</summary>
          <pre tabIndex={0}>{turn.system_prompt}</pre>
        </details>
      )}
    </div>
  )
}

function Memories({ episodes }: { episodes: Episode[] }) {
  return (
    <>
      {episodes.map((each) => (
        <EpisodeCard key={each.id} episode={each} onForgotten={afterForgetting} />
      ))}
    </>
  )
}

/** Conversations that contained the memory are gone, perhaps this one too. */
function afterForgetting(threads: string[]): void {
  if (threads.includes(thread.value)) {
    leave()
    go('chat')
  }
  void loadThreads()
}

function Rules({ persona }: { persona: Persona }) {
  return (
    <>
      <h2>{t().why.rules(persona.version)}</h2>
      <ul>
        {persona.rules.map((rule) => (
          <li key={rule.id}>{rule.text}</li>
        ))}
      </ul>
    </>
  )
}

function Chances({ decision }: { decision: Decision }) {
  const chances = Object.entries(decision.probabilities).sort(([, one], [, other]) => other - one)
  return (
    <>
      <h2>{t().why.decision}</h2>
      <table class="chances">
        <tbody>
          {chances.map(([answer, chance]) => (
            <tr key={answer} data-chosen={answer === decision.answer}>
              <th scope="row">{answer}</th>
              <td>
                <meter min={0} max={1} value={chance} aria-label={answer} />
              </td>
              <td>{percent(chance)}</td>
              <td>{answer === decision.answer && t().why.chosen}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
