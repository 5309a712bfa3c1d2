import { useEffect, useState } from 'preact/hooks'

import { lastChange } from '../api/memory'
import { takeBack } from '../notices'
import { t } from '../texts'
import { turn } from './conversation'

/** What the user should know about the last turn, such as that something was learned: with undo. */
export function Notes() {
  const notes = turn.value.warnings ?? []
  const [learned, setLearned] = useState('')
  useEffect(() => {
    setLearned('')
    if (notes.length) lastChange().then((change) => change.kind === 'persona' && setLearned(change.key), () => undefined)
  }, [notes.join('\n')])
  if (!notes.length) return null
  return (
    <div class="notes" role="note">
      {notes.map((each, place) => (
        <p key={place}>{each}</p>
      ))}
      {learned && (
        <button type="button" class="small" onClick={() => void takeBack(learned).then(() => setLearned(''))}>
          {t().undo}
        </button>
      )}
    </div>
  )
}
