import { useState } from 'preact/hooks'

import { showEpisode } from '../api/memory'
import type { Episode } from '../api/types'
import { attempt } from '../notices'
import { EpisodeCard } from '../shared/episode-card'
import { t } from '../texts'
import { load } from './store'

/** The memories that a rule or a statement rests on. */
export function Resting({ evidence }: { evidence: string[] }) {
  const [episodes, setEpisodes] = useState<Episode[]>()
  const words = t().persona
  const toggle = () => {
    if (episodes) return setEpisodes(undefined)
    void attempt(async () => {
      const found = await Promise.allSettled(evidence.map(showEpisode))
      setEpisodes(found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])))
    })
  }
  if (!evidence.length) return <span class="quiet">{words.ownWords}</span>
  return (
    <>
      <button type="button" class="small" aria-expanded={episodes !== undefined} onClick={toggle}>
        {words.evidence(evidence.length)}
      </button>
      {episodes && (
        <div class="why">
          {episodes.map((each) => (
            <EpisodeCard key={each.id} episode={each} onForgotten={() => void load()} />
          ))}
        </div>
      )}
    </>
  )
}
