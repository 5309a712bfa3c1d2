import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'

import { t } from '../texts'

interface Props {
  label: string
  text?: string
  action: string
  /** Whether an empty text is an answer too. */
  mayBeEmpty?: boolean
  onSend: (text: string) => void
  onCancel: () => void
}

/** Asks for a text: a correction, a new wording. */
export function TextForm({ label, text = '', action, mayBeEmpty = false, onSend, onCancel }: Props) {
  const [value, setValue] = useState(text)
  const id = useId()
  const field = useRef<HTMLTextAreaElement>(null)
  // Before the next key: one that came sooner would go to the button.
  useLayoutEffect(() => field.current?.focus(), [])
  const send = (event: Event) => {
    event.preventDefault()
    if (value.trim() || mayBeEmpty) onSend(value)
  }
  const leave = (event: KeyboardEvent) => event.key === 'Escape' && onCancel()
  return (
    <form class="text-form" onSubmit={send} onKeyDown={leave}>
      <label for={id}>{label}</label>
      <textarea id={id} ref={field} rows={3} value={value} onInput={(event) => setValue(event.currentTarget.value)} />
      <div class="buttons">
        <button type="submit" class="main" disabled={!value.trim() && !mayBeEmpty}>
          {action}
        </button>
        <button type="button" onClick={onCancel}>
          {t().cancel}
        </button>
      </div>
    </form>
  )
}
