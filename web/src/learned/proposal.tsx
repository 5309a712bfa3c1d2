import { useState } from 'preact/hooks'

import type { Proposal } from '../api/types'
import { t } from '../texts'
import { EditRules } from './edit-rules'
import { Pairs } from './pairs'
import { answer } from './runs'

/** What would change, why, and what it would do to the user's own questions. */
export function ProposalCard({ proposal }: { proposal: Proposal }) {
  const [editing, setEditing] = useState(false)
  const [sent, setSent] = useState(false)
  const words = t().learned
  const send = (decision: Parameters<typeof answer>[0]) => {
    setSent(true)
    void answer(decision).then(() => setSent(false))
  }
  return (
    <section class="card" aria-labelledby="proposal">
      <h2 id="proposal">{words.proposal}</h2>
      {proposal.problem && <p role="alert">{proposal.problem}</p>}
      {proposal.changes.map((change) => (
        <Change key={`${change.rule}${change.after}`} change={change} />
      ))}
      {proposal.changes.length === 0 && <p>{words.weights}</p>}
      <Pairs pairs={proposal.pairs} />
      {editing ? (
        <EditRules
          rules={proposal.rules_after}
          onSend={(rules) => send({ decision: 'edit', rules })}
          onCancel={() => setEditing(false)}
        />
      ) : (
        <div class="buttons">
          <button type="button" class="main" disabled={sent} onClick={() => send({ decision: 'approve' })}>
            {words.approve}
          </button>
          <button type="button" disabled={sent} onClick={() => setEditing(true)}>
            {t().edit}
          </button>
          <button type="button" disabled={sent} onClick={() => send({ decision: 'refuse' })}>
            {words.refuse}
          </button>
        </div>
      )}
    </section>
  )
}

function Change({ change }: { change: Proposal['changes'][number] }) {
  const words = t().learned
  return (
    <div>
      {change.before && <del>{change.before}</del>}
      {change.after && <ins>{change.after}</ins>}
      {change.evidence.length > 0 && (
        <details>
          <summary>{words.because(change.evidence.length)}</summary>
          <dl>
            {change.evidence.map((each) => (
              <div key={each.episode}>
                <dt>{each.query}</dt>
                <dd>
                  {t().why.wanted}: <strong>{each.wanted}</strong>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  )
}
