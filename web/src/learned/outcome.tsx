import type { RunDetails } from '../api/types'
import { t } from '../texts'
import { Pairs } from './pairs'
import { WayBack } from './way-back'

/** What came of a run, whole: the rules that it published or tried, what was refused, and the questions. */
export function Outcome({ run: { result } }: { run: RunDetails }) {
  const words = t().learned
  if (!result) return null
  const published = result.to_version !== result.from_version
  const before = new Set(result.rules_before.map((rule) => rule.text))
  const after = new Set(result.rules_after.map((rule) => rule.text))
  const changes = [...before, ...after].some((text) => !before.has(text) || !after.has(text))
  const reasons = [...result.rounds.filter((each) => !each.accepted).map((each) => each.reason), ...result.refused]
  return (
    <>
      {!published && changes && <p class="quiet">{words.tried}</p>}
      {result.rules_before.map((rule) => !after.has(rule.text) && <del key={rule.id}>{rule.text}</del>)}
      {result.rules_after.map((rule) => !before.has(rule.text) && <ins key={rule.id}>{rule.text}</ins>)}
      {published && <WayBack version={result.from_version} />}
      {reasons.some(Boolean) && (
        <details>
          <summary>{words.refused}</summary>
          <ul>
            {reasons.filter(Boolean).map((reason, place) => (
              <li key={place}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
      <Pairs pairs={result.pairs} />
      {result.warnings.map((warning) => (
        <p class="quiet" key={warning}>
          {warning}
        </p>
      ))}
    </>
  )
}
