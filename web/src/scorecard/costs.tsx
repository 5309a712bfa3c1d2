import { useEffect, useState } from 'preact/hooks'

import { PURPOSES, readCosts } from '../api/scorecard'
import type { Cost, CostReport } from '../api/types'
import { attempt } from '../notices'
import { money, number, t } from '../texts'
import { CostCourse } from './cost-course'

const PERIODS = [7, 30, 365]

/** What the calls of the model have cost, by what they were for and by day. */
export function Costs() {
  const [days, setDays] = useState(30)
  const [report, setReport] = useState<CostReport>()
  useEffect(() => void attempt(async () => setReport(await readCosts(days))), [days])
  const words = t().scorecard.costs
  return (
    <section aria-labelledby="costs" aria-busy={report === undefined}>
      <h2 id="costs">{words.title}</h2>
      <p class="quiet">{words.intro}</p>
      <label>
        {words.period}{' '}
        <select value={String(days)} onChange={(event) => setDays(Number(event.currentTarget.value))}>
          {PERIODS.map((each) => (
            <option key={each} value={String(each)}>
              {words.days(each)}
            </option>
          ))}
        </select>
      </label>
      {report && (report.days.length ? <Report report={report} /> : <p>{words.nothing}</p>)}
    </section>
  )
}

function Report({ report }: { report: CostReport }) {
  const words = t().scorecard.costs
  const priced = Object.values(report.total).some(({ price }) => price !== null)
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.byPurpose}>
        <table>
          <caption>{words.byPurpose}</caption>
          <thead>
            <tr>
              <th scope="col">{t().privacy.purpose}</th>
              <th scope="col">{words.calls}</th>
              <th scope="col">{words.read}</th>
              <th scope="col">{words.written}</th>
              {priced && <th scope="col">{words.price}</th>}
            </tr>
          </thead>
          <tbody>
            {PURPOSES.filter((each) => report.total[each]).map((each) => (
              <Row key={each} name={words.purposes[each]} cost={report.total[each]!} currency={report.currency} />
            ))}
            <Row name={words.together} cost={together(Object.values(report.total))} currency={report.currency} />
          </tbody>
        </table>
      </div>
      {!priced && <p class="quiet">{words.noPrices}</p>}
      <CostCourse report={report} priced={priced} />
    </>
  )
}

function Row({ name, cost, currency }: { name: string; cost: Cost; currency: string | null }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{number(cost.calls)}</td>
      <td>{number(cost.input_tokens)}</td>
      <td>{number(cost.output_tokens)}</td>
      {cost.price !== null && <td>{money(cost.price, currency)}</td>}
    </tr>
  )
}

function together(costs: Cost[]): Cost {
  const sum = (of: (cost: Cost) => number) => costs.reduce((total, cost) => total + of(cost), 0)
  return {
    calls: sum((each) => each.calls),
    input_tokens: sum((each) => each.input_tokens),
    output_tokens: sum((each) => each.output_tokens),
    price: costs.some(({ price }) => price !== null) ? sum((each) => each.price ?? 0) : null,
  }
}
