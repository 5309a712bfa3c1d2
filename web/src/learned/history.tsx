import { useEffect, useState } from 'preact/hooks'

import { showRun } from '../api/alignments'
import type { RunDetails, RunSummary } from '../api/types'
import { attempt } from '../notices'
import { moment, t } from '../texts'
import { Outcome } from './outcome'
import { loadOlder, next, runs } from './runs'

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
  const [details, setDetails] = useState<RunDetails>()
  const words = t().learned
  const read = () => void attempt(async () => setDetails(await showRun(run.id)))
  const toggle = () => (details ? setDetails(undefined) : read())
  useEffect(() => {
    if (details) read() // it has gone on since
  }, [run.status])
  return (
    <li class="card">
      <p>
        {moment(run.created_at)} · {words.statuses[run.status] ?? run.status}
      </p>
      <button type="button" class="small" aria-expanded={details !== undefined} onClick={toggle}>
        {words.details}
      </button>
      {details && <Outcome run={details} />}
    </li>
  )
}
