import { useEffect } from 'preact/hooks'

import { t } from '../texts'
import { History } from './history'
import { ProposalCard } from './proposal'
import { learn, leave, load, newest, proposal, runs, underWay } from './runs'

/** What the agent has learned, what it would like to learn, and what was refused. */
export function LearnedView() {
  useEffect(() => {
    void load()
    return leave
  }, [])
  const words = t().learned
  return (
    <div class="page">
      <h1>{t().views.learned}</h1>
      <p>{words.intro}</p>
      <button type="button" class="main" disabled={runs.value === undefined || underWay.value || !!proposal.value} onClick={() => void learn()}>
        {words.start}
      </button>
      <div role="status">{underWay.value && <Progress />}</div>
      {proposal.value && <ProposalCard key={newest.value!.id} proposal={proposal.value} />}
      <History />
    </div>
  )
}

function Progress() {
  const progress = newest.value!.progress
  const words = t().learned
  if (!progress) return <p>{words.queued}</p>
  return (
    <p>
      {words.trying(progress.round, progress.simulated, progress.episodes)}{' '}
      <progress max={progress.episodes} value={progress.simulated} aria-label={words.start} />
    </p>
  )
}
