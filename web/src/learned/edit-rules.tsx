import { useState } from 'preact/hooks'

import type { OwnRule } from '../api/alignments'
import type { Rule } from '../api/types'
import { t } from '../texts'

interface Props {
  rules: Rule[]
  onSend: (rules: OwnRule[]) => void
  onCancel: () => void
}

/** The proposed rules in the user's own words; one that is emptied goes. */
export function EditRules({ rules, onSend, onCancel }: Props) {
  const [texts, setTexts] = useState([...rules.map((rule) => rule.text), ''])
  const words = t().learned
  const send = (event: Event) => {
    event.preventDefault()
    const own = texts.map((text, place) => ({ text: text.trim(), ...(rules[place] && { id: rules[place].id }) }))
    onSend(own.filter((rule) => rule.text))
  }
  return (
    <form onSubmit={send}>
      <p class="quiet">{words.editHint}</p>
      {texts.map((text, place) => (
        <label key={place}>
          {rules[place] ? words.rule(place + 1) : t().persona.addRule}
          <textarea
            rows={2}
            value={text}
            onInput={(event) => setTexts(texts.with(place, event.currentTarget.value))}
          />
        </label>
      ))}
      <div class="buttons">
        <button type="submit" class="main">
          {words.publishOwn}
        </button>
        <button type="button" onClick={onCancel}>
          {t().cancel}
        </button>
      </div>
    </form>
  )
}
