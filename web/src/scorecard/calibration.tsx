import { useEffect, useState } from 'preact/hooks'

import { readCalibration } from '../api/scorecard'
import type { Calibration as Report, Level } from '../api/types'
import { attempt } from '../notices'
import { percent, t } from '../texts'

/** How sure the agent was of its choices, and how often it was right. */
export function Calibration() {
  const [report, setReport] = useState<Report>()
  useEffect(() => void attempt(async () => setReport(await readCalibration())), [])
  const words = t().scorecard.calibration
  return (
    <section aria-labelledby="calibration" aria-busy={report === undefined}>
      <h2 id="calibration">{words.title}</h2>
      <p class="quiet">{words.intro}</p>
      {report?.questions === 0 && <p>{words.nothing}</p>}
      {report?.right && (
        <>
          <p class="card">
            <strong>{words.verdicts[report.verdict]}</strong>{' '}
            {words.rests(report.questions, percent(report.stated ?? 0), percent(report.right.mean))}
          </p>
          <Levels levels={report.levels} />
        </>
      )}
    </section>
  )
}

function Levels({ levels }: { levels: Level[] }) {
  const words = t().scorecard.calibration
  return (
    <table class="levels">
      <caption>{words.caption}</caption>
      <thead>
        <tr>
          <th scope="col">{words.said}</th>
          <th scope="col">{words.was}</th>
        </tr>
      </thead>
      <tbody>
        {levels.map((level) => (
          <tr key={level.least}>
            <th scope="row">
              {words.about(percent(level.stated))} <Share of="said" share={level.stated} />
            </th>
            <td>
              {words.right(percent(level.right.mean), Math.round(level.right.mean * level.questions), level.questions)}{' '}
              <Share of="right" share={level.right.mean} />
              <span class="quiet">{words.likely(percent(level.right.low), percent(level.right.high))}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** A share as a bar; the figure stands beside it. */
function Share({ of, share }: { of: 'said' | 'right'; share: number }) {
  return (
    <svg class="share" data-of={of} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width={100} height={8} />
      <rect class="part" width={100 * share} height={8} />
    </svg>
  )
}
