import { useState } from 'preact/hooks'

import { editStatement, forgetStatement } from '../api/persona'
import type { Statement } from '../api/types'
import { attempt, tell, tellWithUndo } from '../notices'
import { Confirm } from '../shared/confirm'
import { t } from '../texts'
import { SourceLine } from './source-line'

interface Props {
  statements: Statement[]
  /** Told of the conversations that have gone with a statement. */
  onForgotten: (threads: string[]) => void
}

/** What the model was told about the user for an answer. */
export function StatementsOfTurn({ statements, onForgotten }: Props) {
  const [going, setGoing] = useState<Statement>()
  const correct = (id: string, text: string) =>
    void attempt(async () => {
      await editStatement(id, text)
      await tellWithUndo(t().persona.changed)
    })
  const forget = ({ id }: Statement) => {
    setGoing(undefined)
    void attempt(async () => {
      const { threads } = await forgetStatement(id)
      tell(t().forgetting.done)
      onForgotten(threads)
    })
  }
  return (
    <>
      <h2>{t().why.statements}</h2>
      <ul>
        {statements.map((each) => (
          <SourceLine key={each.id} text={each.text} removal={t().forget}
            onCorrect={(text) => correct(each.id, text)} onRemove={() => setGoing(each)} />
        ))}
      </ul>
      {going && (
        <Confirm title={t().persona.forgetStatement} action={t().forget} onNo={() => setGoing(undefined)} onYes={() => forget(going)}>
          <blockquote>{going.text}</blockquote>
        </Confirm>
      )}
    </>
  )
}
