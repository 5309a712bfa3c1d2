import { CONDITIONS, type Scorecard } from '../api/scorecard'
import { percent, t } from '../texts'
import { runningScores } from './running-means'

const [WIDTH, HEIGHT] = [600, 200]

/** The same over time: each line is the mean over all questions so far. */
export function Course({ episodes }: { episodes: Scorecard['episodes'] }) {
  const words = t().scorecard
  const count = runningScores(episodes, 'none').length
  if (count < 2) return null
  return (
    <figure>
      <figcaption>{words.course}</figcaption>
      <svg class="course" viewBox={`-4 -4 ${WIDTH + 8} ${HEIGHT + 8}`} role="img" aria-label={words.course}>
        <path class="axis" d={`M0 0V${HEIGHT}H${WIDTH}`} />
        <text x={6} y={14}>
          {percent(1)}
        </text>
        <text x={6} y={HEIGHT - 6}>
          {percent(0)}
        </text>
        {CONDITIONS.map((each) => (
          <polyline key={each} data-condition={each} points={points(runningScores(episodes, each))} />
        ))}
      </svg>
      <ul class="legend">
        {CONDITIONS.map((each) => (
          <li key={each} data-condition={each}>
            {words.conditions[each]}
          </li>
        ))}
      </ul>
    </figure>
  )
}

function points(scores: number[]): string {
  const step = WIDTH / (scores.length - 1)
  return scores.map((score, place) => `${place * step},${HEIGHT * (1 - score)}`).join(' ')
}
