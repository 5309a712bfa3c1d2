import type { Turn } from '../api/threads'
import type { Decision, Persona } from '../api/types'
import { go } from '../route'
import { EpisodeCard } from '../shared/episode-card'
import { percent, t } from '../texts'
import { leave, thread } from './conversation'
import { loadThreads } from './threads'

/** What an answer rests on: memories, rules, the decision, and the very prompt. */
export function Why({ turn }: { turn: Turn | null }) {
  const words = t().why
  if (!turn) return <p class="quiet">{words.none}</p>
  const recalled = turn.recalled ?? []
  return (
    <div class="why">
      <h2>{recalled.length ? words.episodes : words.noEpisodes}</h2>
      {recalled.map((each) => (
        <EpisodeCard key={each.id} episode={each} onForgotten={afterForgetting} />
      ))}
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
      <table>
        <tbody>
          {chances.map(([answer, chance]) => (
            <tr key={answer}>
              <th scope="row">{answer}</th>
              <td>
                <meter min={0} max={1} value={chance} aria-label={answer} /> {percent(chance)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
