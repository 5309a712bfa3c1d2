import { useState } from 'preact/hooks'

import { rollBack } from '../api/persona'
import { attempt, tellWithUndo } from '../notices'
import { Confirm } from '../shared/confirm'
import { t } from '../texts'

/** The way back from what was learned, to the rules as they were before. */
export function WayBack({ version }: { version: number }) {
  const [asking, setAsking] = useState(false)
  const words = t().persona
  const back = async () => {
    setAsking(false)
    if (await attempt(() => rollBack(version))) await tellWithUndo(words.changed)
  }
  return (
    <>
      <button type="button" class="small" onClick={() => setAsking(true)}>
        {t().learned.wayBack(version)}
      </button>
      {asking && (
        <Confirm title={words.rollBackTo(version)} action={words.rollBack} onNo={() => setAsking(false)} onYes={() => void back()}>
          <p>{words.rollBackHint}</p>
        </Confirm>
      )}
    </>
  )
}
