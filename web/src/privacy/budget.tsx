import { useEffect, useState } from 'preact/hooks'

import { showBudget } from '../api/privacy'
import type { Allowance, Budget as Day } from '../api/types'
import { attempt } from '../notices'
import { moment, number, t } from '../texts'

const ACCOUNTS = ['turns', 'imports', 'alignment'] as const

/** What the day has cost, and what it allows. */
export function Budget() {
  const [day, setDay] = useState<Day>()
  useEffect(() => void attempt(async () => setDay(await showBudget())), [])
  const words = t().privacy.budget
  return (
    <section aria-labelledby="budget">
      <h2 id="budget">{words.title}</h2>
      {day === undefined && <p class="quiet">{t().loading}</p>}
      {day && (
        <>
          <table>
            <thead>
              <tr>
                <th scope="col">{t().privacy.purpose}</th>
                <th scope="col">{words.spent}</th>
                <th scope="col">{words.most}</th>
              </tr>
            </thead>
            <tbody>
              {ACCOUNTS.map((account) => (
                <Account key={account} name={words.accounts[account]} allowance={day[account]} />
              ))}
            </tbody>
          </table>
          <p class="quiet">
            {words.resets(moment(day.resets_at))} {day.requests_per_minute !== null && words.rate(number(day.requests_per_minute))}
          </p>
        </>
      )}
    </section>
  )
}

function Account({ name, allowance: { spent, most } }: { name: string; allowance: Allowance }) {
  const words = t().privacy.budget
  const limited = Object.keys(most).length > 0
  // What nothing limits may not be counted: that nothing was spent would then be untrue.
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{amounts({ ...spent }) || (limited ? words.nothing : words.notCounted)}</td>
      <td>{amounts(most) || words.noLimit}</td>
    </tr>
  )
}

function amounts(counts: Record<string, number>): string {
  const { units } = t().privacy.budget
  return Object.entries(counts)
    .filter(([unit, count]) => count > 0 && unit in units)
    .map(([unit, count]) => units[unit]!(number(count)))
    .join(' · ')
}
