import { useState } from 'preact/hooks'

import { TextForm } from '../shared/text-form'
import { t } from '../texts'

interface Props {
  text: string
  removal: string
  onCorrect: (text: string) => void
  onRemove: () => void
}

/** A rule or a statement that an answer rests on: the user can set it right where they find it wrong. */
export function SourceLine({ text, removal, onCorrect, onRemove }: Props) {
  const [correcting, setCorrecting] = useState(false)
  const done = () => setCorrecting(false)
  const send = (corrected: string) => (done(), onCorrect(corrected))
  return (
    <li>
      {text}{' '}
      <span class="buttons">
        <button type="button" class="small" aria-label={`${t().why.wrong}: ${text}`} onClick={() => setCorrecting(true)}>
          {t().why.wrong}
        </button>
        <button type="button" class="small" aria-label={`${removal}: ${text}`} onClick={onRemove}>
          {removal}
        </button>
      </span>
      {correcting && (
        <TextForm label={t().why.shouldRead} text={text} action={t().save} onSend={send} onCancel={done} />
      )}
    </li>
  )
}
