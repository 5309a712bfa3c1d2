import { useState } from 'preact/hooks'

import type { RunSummary } from '../api/types'
import { moment, t } from '../texts'
import { headline, isPublished } from './headline'
import { Outcome } from './outcome'
import { loadOlder, next, outcomes, readOutcome, runs } from './runs'
import { WayBack } from './way-back'

/** All runs, the newest first: what was accepted, what was refused, and why. */
export function History() {
  const words = t().learned
  return (
    <section aria-labelledby="history" aria-busy={runs.value === undefined}>
      <h2 id="history">{words.history}</h2>
      {runs.value?.length === 0 && <p class="quiet">{words.none}</p>}
      <ol class="plain" reversed>
        {runs.value?.map((run) => (
          <Run key={run.id} run={run} />
        ))}
      </ol>
      {next.value && (
        <button type="button" onClick={() => void loadOlder()}>
          {t().more}
        </button>
      )}
    </section>
  )
}

function Run({ run }: { run: RunSummary }) {
  const [open, setOpen] = useState(false)
  const words = t().learned
  const details = outcomes.value[run.id]
  const toggle = () => {
    setOpen(!open)
    if (!details) void readOutcome(run)
  }
  return (
    <li class="card">
      <p>
        <span class="quiet">{moment(run.created_at)} · </span>
        {details ? headline(details) : (words.statuses[run.status] ?? run.status)}
      </p>
      <div class="buttons">
        {details?.result !== null && (
          <button type="button" class="small" aria-expanded={open} onClick={toggle}>
            {words.details}
          </button>
        )}
        {details?.result && isPublished(details.result) && <WayBack version={details.result.from_version} />}
      </div>
      {open && details && <Outcome run={details} />}
    </li>
  )
}
