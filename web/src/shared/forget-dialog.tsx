import { useEffect, useState } from 'preact/hooks'

import { forgetEpisode, previewForgetting } from '../api/memory'
import type { Episode, ForgetPreview } from '../api/types'
import { attempt, tell } from '../notices'
import { t } from '../texts'
import { Confirm } from './confirm'

interface Props {
  episode: Episode
  onClose: () => void
  onForgotten: (threads: string[]) => void
}

/** Says what goes with an episode, before it goes. */
export function ForgetDialog({ episode, onClose, onForgotten }: Props) {
  const [preview, setPreview] = useState<ForgetPreview>()
  useEffect(() => void attempt(async () => setPreview(await previewForgetting(episode.id))), [episode.id])
  const words = t().forgetting
  const forget = async () => {
    onClose()
    await attempt(async () => {
      const receipt = await forgetEpisode(episode.id)
      tell(words.done)
      onForgotten(receipt.threads)
    })
  }
  return (
    <Confirm title={words.title} action={t().forget} onNo={onClose} onYes={() => void forget()}>
      <blockquote>{episode.query}</blockquote>
      {preview ? <Going preview={preview} /> : <p class="quiet">{t().loading}</p>}
    </Confirm>
  )
}

function Going({ preview }: { preview: ForgetPreview }) {
  const words = t().forgetting
  const lines = [
    words.itself,
    ...(preview.rules.length ? [words.rules(preview.rules.length)] : []),
    ...(preview.statements.length ? [words.statements(preview.statements.length)] : []),
    ...(preview.threads.length ? [words.threads(preview.threads.length)] : []),
    ...(preview.blanked.length ? [words.answers(preview.blanked.length)] : []),
  ]
  const texts = [...preview.rules, ...preview.statements].map((each) => each.text)
  return (
    <>
      <p>{words.what}</p>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {texts.map((text) => (
        <blockquote key={text}>{text}</blockquote>
      ))}
    </>
  )
}
