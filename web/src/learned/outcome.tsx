import { useEffect, useState } from 'preact/hooks'

import { showEpisode } from '../api/memory'
import type { Episode, RunDetails } from '../api/types'
import { t } from '../texts'
import { isPublished } from './headline'
import { Pairs } from './pairs'

/** What came of a run, whole: the rules that it published or tried, what was refused, and the questions. */
export function Outcome({ run: { result } }: { run: RunDetails }) {
  const words = t().learned
  const episodes = useEpisodes(result?.pairs.map((pair) => pair.episode) ?? [])
  if (!result) return null
  const before = new Set(result.rules_before.map((rule) => rule.text))
  const after = new Set(result.rules_after.map((rule) => rule.text))
  const changes = [...before, ...after].some((text) => !before.has(text) || !after.has(text))
  const reasons = [...result.rounds.filter((each) => !each.accepted).map((each) => each.reason), ...result.refused]
  return (
    <>
      {!isPublished(result) && changes && <p class="quiet">{words.tried}</p>}
      {result.rules_before.map((rule) => !after.has(rule.text) && <del key={rule.id}>{rule.text}</del>)}
      {result.rules_after.map((rule) => !before.has(rule.text) && <ins key={rule.id}>{rule.text}</ins>)}
      {reasons.some(Boolean) && (
        <details>
          <summary>{words.refused}</summary>
          <ul>
            {reasons.filter(Boolean).map((reason, place) => (
              <li key={place}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
      <Pairs pairs={result.pairs.map((pair) => ({ ...pair, ...asked(episodes[pair.episode]) }))} />
      {result.warnings.map((warning) => (
        <p class="quiet" key={warning}>
          {warning}
        </p>
      ))}
    </>
  )
}

/** These memories, as far as they are read and not forgotten. */
function useEpisodes(ids: string[]): Record<string, Episode> {
  const [episodes, setEpisodes] = useState<Record<string, Episode>>({})
  useEffect(() => {
    const all = ids.map((id) => showEpisode(id).then((each) => [id, each] as const))
    void Promise.allSettled(all).then((read) =>
      setEpisodes(Object.fromEntries(read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])))),
    )
  }, [ids.join(' ')])
  return episodes
}

function asked(episode: Episode | undefined): { query?: string; wanted?: string } {
  return episode ? { query: episode.query, wanted: episode.ground_truth ?? '' } : {}
}
