/** The memories that are listed: the newest, those of a filter, or those nearest to a text. */
import { signal } from '@preact/signals'

import { listEpisodes, searchEpisodes, type EpisodeFilter } from '../api/memory'
import type { Episode } from '../api/types'
import { attempt } from '../notices'

const MOST_FOUND = 20

export interface Filter extends EpisodeFilter {
  text: string
  source: string
}

export const NO_FILTER: Filter = { text: '', task: '', labelled: false, source: '' }

export const filter = signal<Filter>(NO_FILTER)
export const episodes = signal<Episode[] | undefined>(undefined)
/** Where the list goes on; null at its end. */
export const next = signal<string | null>(null)

let latest = 0

/** Lists from the beginning what the filter lets through. */
export async function load(): Promise<void> {
  const asked = ++latest
  await attempt(async () => {
    const { text, source, ...listed } = filter.value
    const found = text.trim() ? { items: await searchEpisodes(text, MOST_FOUND) } : await listEpisodes(listed)
    if (asked !== latest) return // another filter was chosen meanwhile
    episodes.value = found.items.filter((each) => passes(each, filter.value))
    next.value = ('next' in found && found.next) || null
  })
}

export async function loadMore(): Promise<void> {
  const asked = latest
  await attempt(async () => {
    const found = await listEpisodes(filter.value, next.value ?? undefined)
    if (asked !== latest) return
    const more = found.items.filter((each) => passes(each, filter.value))
    episodes.value = [...(episodes.value ?? []), ...more]
    next.value = found.next ?? null
  })
}

/** What the server does not filter by itself: the source always, and all of it in a search. */
export function passes(episode: Episode, { text, task, labelled, source }: Filter): boolean {
  if (source && !episode.source.toLocaleLowerCase().includes(source.toLocaleLowerCase())) return false
  if (!text.trim()) return true
  return (!task || episode.task === task) && (!labelled || episode.ground_truth !== null)
}
