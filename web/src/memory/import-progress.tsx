import { useState } from 'preact/hooks'

import { cancelImports } from '../api/memory'
import { attempt } from '../notices'
import { number, t } from '../texts'
import { status } from './importing'

/** How far an import is, and the way to end it. */
export function ImportProgress({ busy }: { busy: string }) {
  const [asked, setAsked] = useState('')
  const now = status.value
  const words = t().imports
  const cancel = async (key: string) => (await attempt(cancelImports)) && setAsked(key)
  if (!busy && !now) return null
  const extent = now?.total ? { value: now.done, max: now.total } : {}
  return (
    <>
      <p class="quiet" role="status">
        {busy || words.underWay} <progress aria-label={busy || words.underWay} {...extent} />
      </p>
      {now && (
        <div class="buttons">
          <span class="quiet">{words.steps[now.step](number(now.done), number(now.total ?? 0))}</span>
          <button type="button" class="small" disabled={asked === now.key} onClick={() => void cancel(now.key)}>
            {asked === now.key ? words.cancelling : t().cancel}
          </button>
        </div>
      )}
    </>
  )
}
