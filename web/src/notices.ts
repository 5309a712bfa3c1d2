/** A short note at the page's edge: what was done, what went wrong, and the way back. */
import { signal } from '@preact/signals'

import { Left, Refused } from './api/client'
import { lastChange, undo } from './api/memory'
import { t } from './texts'

export interface Notice {
  text: string
  failed?: boolean
  undoKey?: string
}

export const notice = signal<Notice | undefined>(undefined)

/** Counts what was taken back, so that views show what is there now. */
export const takenBack = signal(0)

export function sentenceOf(error: unknown): string {
  if (!(error instanceof Refused)) return String(error)
  return error.status === 0 ? t().noAnswer : error.message
}

/** Does something; what fails is shown. Returns whether it succeeded. */
export async function attempt(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action()
    return true
  } catch (error) {
    if (!(error instanceof Left)) notice.value = { text: sentenceOf(error), failed: true }
    return false
  }
}

export function tell(text: string): void {
  notice.value = { text }
}

/** Says that something was changed, and offers to take exactly that change back. */
export async function tellWithUndo(text: string): Promise<void> {
  const key = await lastChange().then(
    (change) => change.key,
    () => undefined,
  )
  notice.value = { text, ...(key === undefined ? {} : { undoKey: key }) }
}

export async function takeBack(key: string): Promise<boolean> {
  return attempt(async () => {
    await undo(key)
    takenBack.value++
    tell(t().undone)
  })
}
