import type { ShownPair } from '../api/types'
import { percent, t } from '../texts'

type Pair = Omit<ShownPair, 'query' | 'wanted'> & Partial<Pick<ShownPair, 'query' | 'wanted'>>

const score = (loss: number | null) => (loss === null ? '–' : percent(1 - loss))

/** The user's own questions, answered before and after. */
export function Pairs({ pairs }: { pairs: Pair[] }) {
  const words = t().learned
  if (!pairs.length) return null
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={words.pairs}>
      <table class="pairs">
        <caption>{words.pairs}</caption>
        <thead>
          <tr>
            <th scope="col">{words.question}</th>
            <th scope="col">{t().why.wanted}</th>
            <th scope="col">{words.before}</th>
            <th scope="col">{words.after}</th>
          </tr>
        </thead>
        <tbody>
          {pairs.map((pair) => (
            <tr key={pair.episode}>
              <th scope="row">
                {pair.query ?? pair.episode}
                {pair.part === 'holdout' && <span class="quiet"> · {words.heldOut}</span>}
              </th>
              <td>{pair.wanted}</td>
              <td>
                {pair.before_answer} <span class="quiet">{score(pair.before)}</span>
              </td>
              <td>
                {pair.after_answer} <span class="quiet">{score(pair.after)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
