/** The memories that are listed: the newest, those of a filter, or those nearest to a text. */
import { signal } from '@preact/signals'

import { dayAfter, listEpisodes, searchEpisodes, startOf, type EpisodeFilter } from '../api/memory'
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

let latest = 0

/** Lists from the beginning what the filter lets through. */
export async function load(): Promise<void> {
  const asked = ++latest
  await attempt(async () => {
    const { text, ...listed } = filter.value
    const found = text.trim() ? { items: await searchEpisodes(text, MOST_FOUND) } : await listEpisodes(listed)
    if (asked !== latest) return // another filter was chosen meanwhile
    episodes.value = text.trim() ? found.items.filter((each) => passes(each, listed)) : found.items
    next.value = ('next' in found && found.next) || null
  })
}

export async function loadMore(): Promise<void> {
  const asked = latest
  await attempt(async () => {
    const found = await listEpisodes(filter.value, next.value ?? undefined)
    if (asked !== latest) return
    episodes.value = [...(episodes.value ?? []), ...found.items]
    next.value = found.next ?? null
  })
}

/** A search finds by meaning alone: the filter is applied here to what it finds. */
export function passes(episode: Episode, { task, source, labelled, from, to }: EpisodeFilter): boolean {
  const at = new Date(episode.created_at)
  return (
    (!task || episode.task === task) &&
    (!source || episode.source === source) &&
    (!labelled || episode.ground_truth !== null) &&
    (!from || at >= startOf(from)) &&
    (!to || at < dayAfter(to))
  )
}
