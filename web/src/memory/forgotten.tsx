import { useState } from 'preact/hooks'

import { listForgettings } from '../api/memory'
import type { Forgetting, ListedForgettings } from '../api/types'
import { attempt } from '../notices'
import { moment, t } from '../texts'

/** What was forgotten: when and how much. Of what it was, nothing is left to show. */
export function Forgotten() {
  const [list, setList] = useState<ListedForgettings>()
  const words = t().forgotten
  const load = (cursor?: string) =>
    void attempt(async () => {
      const page = await listForgettings(cursor)
      setList(cursor && list ? { ...page, items: [...list.items, ...page.items] } : page)
    })
  const toggle = (event: Event) => (event.currentTarget as HTMLDetailsElement).open && load()
  return (
    <details onToggle={toggle}>
      <summary>{words.title}</summary>
      <p class="quiet">{words.hint}</p>
      {list && !list.items.length && !list.unlisted && <p class="quiet">{words.none}</p>}
      <ul>
        {list?.items.map((each) => (
          <li key={each.key}>
            <time dateTime={each.at}>{moment(each.at)}</time>: {countsOf(each)}
          </li>
        ))}
      </ul>
      {list?.next && (
        <button type="button" onClick={() => load(list.next ?? undefined)}>
          {t().more}
        </button>
      )}
      {list && list.unlisted > 0 && <p>{words.unlisted(list.unlisted)}</p>}
    </details>
  )
}

/** How much went, in words. */
export function countsOf(entry: Forgetting): string {
  const { counts } = t().forgotten
  return (Object.keys(counts) as (keyof typeof counts)[])
    .filter((kind) => entry[kind])
    .map((kind) => counts[kind](entry[kind]))
    .join(', ')
}
