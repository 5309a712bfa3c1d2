import { useEffect } from 'preact/hooks'

import { takenBack } from '../notices'
import { EpisodeCard } from '../shared/episode-card'
import { t } from '../texts'
import { episodes, filter, load, loadMore, next, NO_FILTER, seen } from './episodes'
import { Evidence } from './evidence'
import { FilterBar } from './filter-bar'
import { Forgotten } from './forgotten'
import { ImportFile } from './import-file'
import { PauseRemembering } from './pause'

/** What is remembered, one memory at a time. */
export function MemoryView() {
  useEffect(() => {
    filter.value = NO_FILTER
    episodes.value = undefined
    seen.task.value = seen.source.value = []
  }, [])
  useEffect(() => void load(), [takenBack.value])
  const words = t().memory
  return (
    <div class="page">
      <h1>{t().views.memory}</h1>
      <PauseRemembering />
      <ImportFile onImported={() => void load()} />
      <FilterBar />
      <section aria-label={words.list} aria-live="polite" aria-busy={episodes.value === undefined}>
        {episodes.value === undefined && <p class="quiet">{t().loading}</p>}
        {episodes.value?.length === 0 && !next.value && <p class="quiet">{words.none}</p>}
        {episodes.value?.map((each) => (
          <EpisodeCard key={each.id} episode={each} question={filter.value.text.trim()}>
            <Evidence episode={each.id} />
          </EpisodeCard>
        ))}
      </section>
      {next.value && (
        <button type="button" onClick={() => void loadMore()}>
          {t().more}
        </button>
      )}
      <Forgotten />
    </div>
  )
}
