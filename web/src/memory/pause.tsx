import { useEffect, useState } from 'preact/hooks'

import { pauseRemembering, showPause } from '../api/memory'
import { attempt } from '../notices'
import { t } from '../texts'

/** Whether new turns are remembered. */
export function PauseRemembering() {
  const [paused, setPaused] = useState<boolean>()
  useEffect(() => void attempt(async () => setPaused((await showPause()).paused)), [])
  const change = (wanted: boolean) => void attempt(async () => setPaused((await pauseRemembering(wanted)).paused))
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={paused ?? false}
        disabled={paused === undefined}
        onChange={(event) => change(event.currentTarget.checked)}
      />
      {t().memory.pause}
    </label>
  )
}
