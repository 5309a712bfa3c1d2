import { number, t } from '../texts'
import { profile } from './store'

/** What was counted in what the user wanted. */
export function Facts() {
  const { facts } = profile.value!
  const words = t().persona
  if (!facts.length) return null
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">{words.facts}</h2>
      {facts.map((each) => (
        <div class="card" key={each.task ?? ''}>
          <p>
            <strong>{each.task ?? words.anyTask}</strong> <span class="quiet">{words.count(each.count)}</span>
          </p>
          <Counts counts={each.labels} />
          <Counts counts={each.numbers} names={words.counted} />
          {Object.keys(each.words).length > 0 && <p class="quiet">{words.words}</p>}
          <Counts counts={each.words} names={words.counted} />
          {each.recent && <p class="quiet">{each.recent}</p>}
        </div>
      ))}
    </section>
  )
}

interface CountsProps {
  counts: Record<string, number>
  names?: Record<string, string>
}

function Counts({ counts, names = {} }: CountsProps) {
  const rows = Object.entries(counts)
  if (!rows.length) return null
  return (
    <table>
      <tbody>
        {rows.map(([name, count]) => (
          <tr key={name}>
            <th scope="row">{names[name] ?? name}</th>
            <td>{number(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
