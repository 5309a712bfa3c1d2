import { PURPOSES } from '../api/scorecard'
import type { CostReport } from '../api/types'
import { dayOf, money, number, t } from '../texts'
import { stacks } from './stacks'

const [WIDTH, HEIGHT] = [600, 160]

/** The same day by day: a stack for each. */
export function CostCourse({ report, priced }: { report: CostReport; priced: boolean }) {
  const words = t().scorecard.costs
  const days = stacks(report.days, priced)
  const most = Math.max(...days.map(({ total }) => total))
  if (days.length < 2 || most === 0) return null
  const amount = (value: number) => (priced ? money(value, report.currency) : words.tokens(number(value)))
  const step = WIDTH / days.length
  const dearest = days.find(({ total }) => total === most)!
  const described = words.described(dayOf(dearest.day), amount(most))
  return (
    <figure>
      <figcaption>{words.course}</figcaption>
      <svg class="course" viewBox={`-4 -4 ${WIDTH + 8} ${HEIGHT + 8}`} role="img" aria-label={`${words.course}. ${described}`}>
        {days.map(({ day, parts }, place) =>
          parts.map(({ purpose, from, amount: size }) => (
            <rect
              key={`${day} ${purpose}`}
              data-purpose={purpose}
              x={place * step}
              width={Math.max(1, step - 2)}
              y={HEIGHT * (1 - (from + size) / most)}
              height={(HEIGHT * size) / most}
            />
          )),
        )}
        <path class="axis" d={`M0 0V${HEIGHT}H${WIDTH}`} />
      </svg>
      <p class="quiet">
        {dayOf(days[0]!.day)} – {dayOf(days.at(-1)!.day)}. {described}
      </p>
      <ul class="legend">
        {PURPOSES.filter((each) => report.total[each]).map((each) => (
          <li key={each} data-purpose={each}>
            {words.purposes[each]}
          </li>
        ))}
      </ul>
    </figure>
  )
}
