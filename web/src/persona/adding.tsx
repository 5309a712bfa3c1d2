import { useState } from 'preact/hooks'

import { TextForm } from '../shared/text-form'
import { t } from '../texts'

/** A button that becomes a field for something new. */
export function Adding({ label, onAdd }: { label: string; onAdd: (text: string) => void }) {
  const [writing, setWriting] = useState(false)
  const send = (text: string) => {
    setWriting(false)
    onAdd(text)
  }
  if (writing) return <TextForm label={label} action={t().save} onSend={send} onCancel={() => setWriting(false)} />
  return (
    <button type="button" onClick={() => setWriting(true)}>
      {label}
    </button>
  )
}
