import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { correct } from '../api/memory'
import type { Episode } from '../api/types'
import { attempt, tellWithUndo } from '../notices'
import { moment, t } from '../texts'
import { ForgetDialog } from './forget-dialog'
import { MarkdownText } from './markdown-text'
import { NotRelevant, StaysOut } from './relevance'
import { TextForm } from './text-form'

interface Props {
  episode: Episode
  /** The question that it was recalled for, if there is one. */
  question?: string
  onForgotten?: (threads: string[]) => void
  /** What else there is to do with it. */
  children?: ComponentChildren
}

/** An episode whole: what was asked, answered and wanted; the user can correct and forget it. */
export function EpisodeCard({ episode, question, onForgotten, children }: Props) {
  const [now, setNow] = useState(episode)
  const [doing, setDoing] = useState<'correct' | 'forget' | 'gone'>()
  useEffect(() => setNow(episode), [episode])
  const words = t().why
  const done = () => setDoing(undefined)
  const send = (text: string) => {
    done()
    void attempt(async () => {
      setNow(await correct(now.id, text))
      await tellWithUndo(t().feedback.thanks)
    })
  }
  if (doing === 'gone') return <p class="quiet">{t().forgetting.done}</p>
  return (
    <article class="episode" data-episode={now.id} data-left={now.discarded || !!now.superseded_by}>
      <Said episode={now} />
      <StaysOut episode={now} onChanged={setNow} />
      <div class="buttons">
        <button type="button" class="small" onClick={() => setDoing('correct')}>
          {words.wrong}
        </button>
        {question && <NotRelevant episode={now} question={question} onChanged={setNow} />}
        <button type="button" class="small" onClick={() => setDoing('forget')}>
          {t().forget}
        </button>
        {children}
      </div>
      {doing === 'correct' && (
        <TextForm label={t().feedback.wanted} text={now.ground_truth ?? ''} action={t().save} mayBeEmpty onSend={send} onCancel={done} />
      )}
      {doing === 'forget' && (
        <ForgetDialog
          episode={now}
          onClose={done}
          onForgotten={(threads) => {
            setDoing('gone')
            onForgotten?.(threads)
          }}
        />
      )}
    </article>
  )
}

function Said({ episode }: { episode: Episode }) {
  const words = t().why
  const wanted = episode.signal === 'edit' ? episode.ground_truth : undefined
  return (
    <>
      <p class="quiet">
        {episode.created_at && <time dateTime={episode.created_at}>{moment(episode.created_at)}</time>}
        {[episode.task, episode.source].filter(Boolean).map((each) => ` · ${each}`)}
        {episode.discarded && ` · ${t().episode.discarded}`}
        {episode.superseded_by && ` · ${t().episode.superseded}`}
        {episode.signal === 'accept' && ` · ${t().episode.accepted}`}
        {episode.signal === 'reject' && ` · ${t().episode.rejected}`}
      </p>
      <dl>
        <dt>{words.asked}</dt>
        <dd>{episode.query}</dd>
        <dt>{words.answered}</dt>
        <dd>{episode.response ? <MarkdownText text={episode.response} flat /> : '–'}</dd>
        {wanted != null && (
          <>
            <dt>{words.wanted}</dt>
            <dd>
              <strong>{wanted}</strong>
            </dd>
          </>
        )}
      </dl>
    </>
  )
}
