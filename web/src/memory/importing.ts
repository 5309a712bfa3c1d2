/** The import under way, in this tab or another, and how far it is. */
import { signal } from '@preact/signals'

import { showImports } from '../api/memory'
import type { ImportStatus } from '../api/types'

const POLL = 1000

/** Undefined where none is known: one that takes no longer than a second is not shown. */
export const status = signal<ImportStatus | undefined>(undefined)

/** Asks how far imports are until `ended` says so, or, without it, until none is left; returns whether
 * there was one. */
export async function watch(ended?: () => boolean): Promise<boolean> {
  let seen = false
  for (;;) {
    const running = await showImports().catch(() => [])
    if (ended ? ended() : !running.length) break
    status.value = running.at(-1)
    seen ||= running.length > 0
    await new Promise((resolve) => setTimeout(resolve, POLL))
  }
  status.value = undefined
  return seen
}
