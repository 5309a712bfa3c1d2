/** What alignment does and has done for the user; watched while it goes on. */
import { computed, signal } from '@preact/signals'

import { decide, listRuns, showRun, startRun, type Decision } from '../api/alignments'
import type { RunDetails, RunSummary } from '../api/types'
import { attempt } from '../notices'

const POLL = 2000
const READ_AT_ONCE = 10
const OPEN = new Set(['pending', 'running'])

export const runs = signal<RunSummary[] | undefined>(undefined)
export const next = signal('')
/** The newest run, whole. */
export const newest = signal<RunDetails | undefined>(undefined)
/** The runs that were read whole, by id. */
export const outcomes = signal<Record<string, RunDetails>>({})
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
    newest.value = first && (await readOutcome(first))
  })
  if (underWay.value) watch = window.setTimeout(() => void load(), POLL)
  else await readOutcomes()
}

/** Reads a run whole; what it came to is shown wherever it is listed. */
export async function readOutcome(run: RunSummary): Promise<RunDetails> {
  const details = await showRun(run.id)
  outcomes.value = { ...outcomes.value, [run.id]: details }
  return details
}

/** Reads the newest ones, one after the other: the server looks through a history for each. */
async function readOutcomes(): Promise<void> {
  const shown = runs.value
  for (const run of shown?.slice(0, READ_AT_ONCE) ?? []) {
    if (runs.value !== shown) return
    const read = outcomes.value[run.id]
    const isOld = read?.status !== run.status || (read.proposal && run.id !== newest.value?.id)
    if (isOld) await attempt(() => readOutcome(run))
  }
}

export function leave(): void {
  clearTimeout(watch)
  runs.value = undefined
  newest.value = undefined
  outcomes.value = {}
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
