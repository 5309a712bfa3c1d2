import { useEffect, useState } from 'preact/hooks'

import type { ThreadSummary } from '../api/types'
import { addressOf, go } from '../route'
import { Confirm } from '../shared/confirm'
import { TextForm } from '../shared/text-form'
import { moment, t } from '../texts'
import { incognito, leave, thread as open } from './conversation'
import { found, loadThreads, next, remove, rename, sought } from './threads'

const TYPING = 300

function begin(unseen: boolean): void {
  leave()
  incognito.value = unseen
  go('chat')
}

/** Old conversations, and the way to a new one. */
export function ThreadList() {
  const words = t().chat
  useEffect(() => {
    const soon = setTimeout(() => void loadThreads(), sought.value ? TYPING : 0)
    return () => clearTimeout(soon)
  }, [sought.value])
  return (
    <aside class="threads" aria-label={words.threads}>
      <div class="buttons">
        <button type="button" class="main" onClick={() => begin(false)}>
          {words.new}
        </button>
        <button type="button" title={words.incognitoHint} onClick={() => begin(true)}>
          {words.incognito}
        </button>
      </div>
      <input
        type="search"
        aria-label={words.search}
        placeholder={words.search}
        value={sought.value}
        onInput={(event) => (sought.value = event.currentTarget.value)}
      />
      {found.value?.length === 0 && <p class="quiet">{sought.value ? words.nothingFound : words.none}</p>}
      <ul>{found.value?.map((each) => <Item key={each.id} thread={each} />)}</ul>
      {next.value && (
        <button type="button" onClick={() => void loadThreads(next.value)}>
          {t().more}
        </button>
      )}
    </aside>
  )
}

function Item({ thread }: { thread: ThreadSummary }) {
  const [asking, setAsking] = useState<'title' | 'remove'>()
  const words = t().chat
  const id = thread.id
  const title = thread.title || words.untitled
  const done = () => setAsking(undefined)
  const removeIt = async () => {
    done()
    if ((await remove(id)) && open.value === id) begin(false)
  }
  return (
    <li>
      <a href={addressOf('chat', id)} aria-current={open.value === id ? 'true' : undefined} title={moment(thread.updated_at)}>
        {title}
      </a>
      <button type="button" class="small" aria-label={`${words.rename}: ${title}`} onClick={() => setAsking('title')}>
        ✎
      </button>
      <button type="button" class="small" aria-label={`${words.remove}: ${title}`} onClick={() => setAsking('remove')}>
        ✕
      </button>
      {asking === 'title' && (
        <TextForm label={words.title} text={title} action={t().save} onCancel={done}
          onSend={(text) => (done(), void rename(id, text.trim()))} />
      )}
      {asking === 'remove' && (
        <Confirm title={title} action={words.remove} onNo={done} onYes={() => void removeIt()}>
          <p>{words.removeAsk}</p>
        </Confirm>
      )}
    </li>
  )
}
