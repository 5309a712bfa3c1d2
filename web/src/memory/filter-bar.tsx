import { useEffect, useState } from 'preact/hooks'

import { t } from '../texts'
import { filter, load, NO_FILTER, type Filter } from './episodes'

const TYPING = 300

/** Search and filters; the list follows while one types. */
export function FilterBar() {
  const [chosen, setChosen] = useState<Filter>(NO_FILTER)
  const words = t().memory
  useEffect(() => {
    if (chosen === NO_FILTER) return
    const soon = setTimeout(() => {
      filter.value = chosen
      void load()
    }, TYPING)
    return () => clearTimeout(soon)
  }, [chosen])
  const text = (name: 'text' | 'task' | 'source', label: string, hint = '') => (
    <label>
      {label}
      <input
        type="search"
        value={chosen[name]}
        placeholder={hint}
        onInput={(event) => setChosen({ ...chosen, [name]: event.currentTarget.value })}
      />
    </label>
  )
  return (
    <form class="bar" role="search" onSubmit={(event) => event.preventDefault()}>
      {text('text', words.search, words.searchHint)}
      {text('task', words.task)}
      {text('source', words.source)}
      <label class="check">
        <span>
          <input
            type="checkbox"
            checked={chosen.labelled}
            onChange={(event) => setChosen({ ...chosen, labelled: event.currentTarget.checked })}
          />{' '}
          {words.labelled}
        </span>
      </label>
    </form>
  )
}
