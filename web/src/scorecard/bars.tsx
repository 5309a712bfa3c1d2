import { CONDITIONS, type Scorecard } from '../api/scorecard'
import { percent, t } from '../texts'

/** How right each way of answering was, with how sure that is. */
export function Bars({ scorecard: { means } }: { scorecard: Scorecard }) {
  const words = t().scorecard
  return (
    <table class="bars">
      <caption>{words.bars}</caption>
      <thead>
        <tr>
          <th scope="col">{words.way}</th>
          <th scope="col">{words.right}</th>
        </tr>
      </thead>
      <tbody>
        {CONDITIONS.filter((each) => means[each]).map((each) => {
          const { mean, low, high } = means[each].loss
          return (
            <tr key={each} data-condition={each}>
              <th scope="row">{words.conditions[each]}</th>
              <td>
                <meter min={0} max={1} value={1 - mean} aria-label={words.conditions[each]} /> {percent(1 - mean)}{' '}
                <span class="quiet">{words.between(percent(1 - high), percent(1 - low))}</span>
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
