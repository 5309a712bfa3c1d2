/** What alignment does and has done for the user; watched while it goes on. */
import { computed, signal } from '@preact/signals'

import { decide, listRuns, showRun, startRun, type Decision } from '../api/alignments'
import type { RunDetails, RunSummary } from '../api/types'
import { attempt } from '../notices'

const POLL = 2000
const OPEN = new Set(['pending', 'running'])

export const runs = signal<RunSummary[] | undefined>(undefined)
export const next = signal('')
/** The newest run, whole. */
export const newest = signal<RunDetails | undefined>(undefined)
export const underWay = computed(() => newest.value !== undefined && OPEN.has(newest.value.status))
export const proposal = computed(() => (underWay.value ? null : newest.value?.proposal))

let watch = 0

export async function load(): Promise<void> {
  clearTimeout(watch)
  await attempt(async () => {
    const listed = await listRuns()
    runs.value = listed.items
    next.value = listed.next ?? ''
    const first = listed.items[0]
    newest.value = first && (await showRun(first.id))
  })
  if (underWay.value) watch = window.setTimeout(() => void load(), POLL)
}

export function leave(): void {
  clearTimeout(watch)
  runs.value = undefined
  newest.value = undefined
}

export async function loadOlder(): Promise<void> {
  await attempt(async () => {
    const listed = await listRuns(next.value)
    runs.value = [...(runs.value ?? []), ...listed.items]
    next.value = listed.next ?? ''
  })
}

export async function learn(): Promise<void> {
  await attempt(startRun)
  await load()
}

export async function answer(decision: Decision): Promise<void> {
  await attempt(() => decide(decision))
  await load()
}
