/** The memories that are listed: the newest, those of a filter, or those nearest to a text. */
import { signal } from '@preact/signals'

import { listEpisodes, searchEpisodes, type EpisodeFilter } from '../api/memory'
import type { Episode } from '../api/types'
import { attempt } from '../notices'

const MOST_FOUND = 20

export interface Filter extends EpisodeFilter {
  text: string
}

export const NO_FILTER: Filter = { text: '', task: '', source: '', labelled: false, from: '', to: '' }

export const filter = signal<Filter>(NO_FILTER)
export const episodes = signal<Episode[] | undefined>(undefined)
/** Where the list goes on; null at its end. */
export const next = signal<string | null>(null)

/** Tasks and sources that were seen, to choose from. */
export const seen = { task: signal<string[]>([]), source: signal<string[]>([]) }

function note(found: Episode[]): void {
  for (const name of ['task', 'source'] as const) {
    const named = found.map((each) => each[name]).filter((each) => each !== null)
    seen[name].value = [...new Set([...seen[name].value, ...named])].sort()
  }
}

let latest = 0

/** Lists from the beginning what the filter lets through. */
export async function load(): Promise<void> {
  const asked = ++latest
  await attempt(async () => {
    const { text, ...listed } = filter.value
    const found = text.trim() ? { items: await searchEpisodes(text, MOST_FOUND, listed) } : await listEpisodes(listed)
    if (asked !== latest) return // another filter was chosen meanwhile
    episodes.value = found.items
    note(found.items)
    next.value = ('next' in found && found.next) || null
  })
}

export async function loadMore(): Promise<void> {
  const asked = latest
  await attempt(async () => {
    const found = await listEpisodes(filter.value, next.value ?? undefined)
    if (asked !== latest) return
    episodes.value = [...(episodes.value ?? []), ...found.items]
    note(found.items)
    next.value = found.next ?? null
  })
}
