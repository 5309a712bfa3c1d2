import { useState } from 'preact/hooks'

import { accept, correct } from '../api/memory'
import { attempt, tell, tellWithUndo } from '../notices'
import { Thumb } from '../shared/thumb'
import { TextForm } from '../shared/text-form'
import { t } from '../texts'

/** Thumbs; the one that points down asks in the same gesture what was wanted. */
export function Feedback({ episode }: { episode: () => Promise<string | undefined> }) {
  const [given, setGiven] = useState<'right' | 'wrong'>()
  const [writing, setWriting] = useState(false)
  const words = t().feedback
  const send = async (kind: 'right' | 'wrong', text = '') => {
    setWriting(false)
    await attempt(async () => {
      const id = await episode()
      if (!id) return tell(t().why.none)
      await (kind === 'right' ? accept(id) : correct(id, text))
      setGiven(kind)
      await tellWithUndo(words.thanks)
    })
  }
  return (
    <>
      <button type="button" class="small" aria-label={words.right} title={words.right} aria-pressed={given === 'right'}
        onClick={() => void send('right')}>
        <Thumb />
      </button>
      <button type="button" class="small" aria-label={words.wrong} title={words.wrong} aria-pressed={given === 'wrong'}
        aria-expanded={writing} onClick={() => setWriting(!writing)}>
        <Thumb down />
      </button>
      {writing && (
        <TextForm label={words.wanted} action={words.send} mayBeEmpty onSend={(text) => void send('wrong', text)}
          onCancel={() => setWriting(false)} />
      )}
    </>
  )
}
