import type { Decision } from '../api/types'
import { percent, t } from '../texts'

/** How a closed question was decided: in words, as a table, and what spoke for what. */
export function Chances({ decision }: { decision: Decision }) {
  const words = t().why
  const chances = ranked(decision.probabilities)
  const sure = decision.probabilities[decision.answer] ?? 0
  return (
    <>
      <h2>{words.decision}</h2>
      <p>{words.sure(decision.answer, sure, percent(sure))}</p>
      <table class="chances">
        <tbody>
          {chances.map(([answer, chance]) => (
            <tr key={answer} data-chosen={answer === decision.answer}>
              <th scope="row">{answer}</th>
              <td>
                <meter min={0} max={1} value={chance} aria-label={answer} />
              </td>
              <td>{percent(chance)}</td>
              <td>{answer === decision.answer && words.chosen}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Voices decision={decision} />
    </>
  )
}

/** What each source said by itself, the weightiest first. */
function Voices({ decision }: { decision: Decision }) {
  const heard = (decision.sources ?? []).filter(({ weight }) => weight > 0).sort((one, other) => other.weight - one.weight)
  return (
    <ul>
      {heard.map(({ name, weight, probabilities }) => {
        const [answer, chance] = ranked(probabilities)[0] ?? ['', 0]
        return <li key={name}>{t().why.voice(t().why.voices[name] ?? name, answer, percent(chance), percent(weight))}</li>
      })}
    </ul>
  )
}

const ranked = (chances: Record<string, number>) => Object.entries(chances).sort(([, one], [, other]) => other - one)
