import type { Difference } from '../api/types'
import { t } from '../texts'

/** What differs between two versions, rule by rule. */
export function Changes({ difference }: { difference: Difference }) {
  const { added, removed, changed, weights } = difference
  const words = t().persona
  const nothing = added.length + removed.length + changed.length + weights.length === 0
  return (
    <div class="card" role="region" aria-label={words.differs(difference.before, difference.after)}>
      <p class="quiet">{words.differs(difference.before, difference.after)}</p>
      {nothing && <p>{words.same}</p>}
      {removed.map((rule) => (
        <del key={rule.id}>{rule.text}</del>
      ))}
      {changed.map(({ before, after }) => (
        <div key={after.id}>
          <del>{before.text}</del>
          <ins>{after.text}</ins>
          {before.locked !== after.locked && <p class="quiet">{after.locked ? words.locked : words.unlocked}</p>}
        </div>
      ))}
      {added.map((rule) => (
        <ins key={rule.id}>{rule.text}</ins>
      ))}
      {weights.length > 0 && <p>{words.weightsDiffer}</p>}
    </div>
  )
}
