import { useState } from 'preact/hooks'

import { TextForm } from '../shared/text-form'
import { t } from '../texts'
import { Resting } from './resting'

interface Props {
  text: string
  locked: boolean
  evidence: string[]
  note?: string
  removal: string
  onEdit: (text: string) => void
  onLock: (locked: boolean) => void
  onRemove: () => void
}

/** A rule or a statement: what it rests on, and what the user can do about it. */
export function Line({ text, locked, evidence, note, removal, onEdit, onLock, onRemove }: Props) {
  const [editing, setEditing] = useState(false)
  const words = t().persona
  const send = (changed: string) => {
    setEditing(false)
    onEdit(changed)
  }
  if (editing) {
    return (
      <li class="card">
        <TextForm label={t().edit} text={text} action={t().save} onSend={send} onCancel={() => setEditing(false)} />
      </li>
    )
  }
  return (
    <li class="card">
      <p>{text}</p>
      {note && <p class="quiet">{note}</p>}
      <div class="buttons">
        <button type="button" class="small" onClick={() => setEditing(true)}>
          {t().edit}
        </button>
        <button type="button" class="small" aria-pressed={locked} title={words.lockHint} onClick={() => onLock(!locked)}>
          {locked ? words.locked : words.lock}
        </button>
        <button type="button" class="small" onClick={onRemove}>
          {removal}
        </button>
        <Resting evidence={evidence} />
      </div>
    </li>
  )
}
