/** The list of conversations beside the chat. */
import { signal } from '@preact/signals'

import { deleteThread, listThreads, renameThread, UNLISTED } from '../api/threads'
import type { ThreadSummary } from '../api/types'
import { attempt } from '../notices'

const DAY = 86_400_000

export const sought = signal('')
/** The conversations in which the text that is sought stands; undefined until they are loaded. */
export const found = signal<ThreadSummary[] | undefined>(undefined)
/** Where the list goes on; empty at its end. */
export const next = signal('')

let latest = 0

export async function loadThreads(cursor = ''): Promise<void> {
  const asked = ++latest
  await attempt(async () => {
    const listed = await listThreads(sought.value.trim(), cursor)
    if (asked !== latest) return // something else is sought meanwhile
    const shown = listed.items.filter(({ title }) => title !== UNLISTED)
    found.value = cursor ? [...(found.value ?? []), ...shown] : shown
    next.value = listed.next ?? ''
    void deleteLeftBehind(listed.items)
  })
}

/** Incognito conversations go when they are left; a closed tab may have left one. */
async function deleteLeftBehind(threads: ThreadSummary[]): Promise<void> {
  const old = threads.filter(
    ({ title, updated_at }) => title === UNLISTED && Date.now() - Date.parse(updated_at) > DAY,
  )
  await Promise.allSettled(old.map(({ id }) => deleteThread(id)))
}

export async function rename(id: string, title: string): Promise<void> {
  await attempt(() => renameThread(id, title))
  await loadThreads()
}

export async function remove(id: string): Promise<boolean> {
  const removed = await attempt(() => deleteThread(id))
  await loadThreads()
  return removed
}
