import { useEffect, useState } from 'preact/hooks'

import { t } from '../texts'
import { filter, load, NO_FILTER, seen, type Filter } from './episodes'

const TYPING = 300

/** Search and filters; the list follows while one types. */
export function FilterBar() {
  const [chosen, setChosen] = useState<Filter>(NO_FILTER)
  const words = t().memory
  const set = (change: Partial<Filter>) => setChosen((before) => ({ ...before, ...change }))
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
        list={name === 'text' ? undefined : `known-${name}`}
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
    </label>
  )
  const day = (name: 'from' | 'to', label: string) => (
    <label>
      {label}
      <input
        type="date"
        value={chosen[name]}
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
    </label>
  )
  const choices = (name: 'task' | 'source') => (
    <datalist id={`known-${name}`}>
      {seen[name].value.map((each) => (
        <option key={each} value={each} />
      ))}
    </datalist>
  )
  return (
    <form class="bar" role="search" onSubmit={(event) => event.preventDefault()}>
      {text('text', words.search, words.searchHint)}
      {text('task', words.task)}
      {text('source', words.source)}
      {choices('task')}
      {choices('source')}
      {day('from', words.from)}
      {day('to', words.to)}
      <label class="check">
        <span>
          <input
            type="checkbox"
            checked={chosen.labelled}
            onChange={(event) => set({ labelled: event.currentTarget.checked })}
          />{' '}
          {words.labelled}
        </span>
      </label>
    </form>
  )
}
