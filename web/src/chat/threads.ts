/** The list of conversations beside the chat. */
import { computed, signal } from '@preact/signals'

import { deleteThread, listThreads, renameThread, type Thread } from '../api/threads'
import { attempt } from '../notices'

const DAY = 86_400_000

const all = signal<Thread[] | undefined>(undefined)
export const sought = signal('')

/** Those whose title holds what is sought; undefined until they are loaded. */
export const found = computed(() => {
  const text = sought.value.trim().toLocaleLowerCase()
  return all.value?.filter(({ metadata }) => (metadata.title ?? '').toLocaleLowerCase().includes(text))
})
export const isEmpty = computed(() => all.value?.length === 0)

export function titleOfThread(id: string): string {
  return all.value?.find((each) => each.thread_id === id)?.metadata.title ?? ''
}

export async function loadThreads(): Promise<void> {
  await attempt(async () => {
    const threads = await listThreads()
    all.value = threads.filter((each) => !each.metadata.incognito)
    void deleteLeftBehind(threads)
  })
}

/** Incognito conversations go when they are left; a closed tab may have left one. */
async function deleteLeftBehind(threads: Thread[]): Promise<void> {
  const old = threads.filter(
    (each) => each.metadata.incognito && Date.now() - Date.parse(each.updated_at) > DAY,
  )
  await Promise.allSettled(old.map((each) => deleteThread(each.thread_id)))
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
