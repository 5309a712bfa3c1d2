import { useState } from 'preact/hooks'

import { addStatement, editStatement, forgetStatement, lockStatement } from '../api/persona'
import type { Statement } from '../api/types'
import { attempt, tell } from '../notices'
import { Confirm } from '../shared/confirm'
import { moment, t } from '../texts'
import { Adding } from './adding'
import { Line } from './line'
import { change, load, profile } from './store'

/** What the agent holds for true about the user. */
export function Statements() {
  const [going, setGoing] = useState<Statement>()
  const { summary } = profile.value!
  const words = t().persona
  const forget = (statement: Statement) => {
    setGoing(undefined)
    void attempt(async () => {
      await forgetStatement(statement.id)
      tell(t().forgetting.done)
      await load()
    })
  }
  return (
    <section aria-labelledby="statements">
      <h2 id="statements">{words.statements}</h2>
      {summary.length === 0 && <p class="quiet">{words.noStatements}</p>}
      <ul class="plain">
        {summary.map((each) => (
          <Line
            key={each.id}
            text={each.text}
            locked={each.locked}
            evidence={each.evidence}
            note={each.changed_at ? moment(each.changed_at) : ''}
            removal={t().forget}
            onEdit={(text) => void change(() => editStatement(each.id, text))}
            onLock={(locked) => void change(() => lockStatement(each.id, locked))}
            onRemove={() => setGoing(each)}
          />
        ))}
      </ul>
      <Adding label={words.addStatement} onAdd={(text) => void change(() => addStatement(text))} />
      {going && (
        <Confirm title={words.forgetStatement} action={t().forget} onNo={() => setGoing(undefined)} onYes={() => forget(going)}>
          <blockquote>{going.text}</blockquote>
        </Confirm>
      )}
    </section>
  )
}
