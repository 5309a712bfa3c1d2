import { useEffect } from 'preact/hooks'

import { shown } from '../route'
import { t } from '../texts'
import { Composer } from './composer'
import { incognito, leave, open } from './conversation'
import { Messages } from './messages'
import { ThreadList } from './thread-list'
import { sought } from './threads'

/** The conversations, and the one that is shown. */
export function ChatView() {
  useEffect(() => {
    sought.value = ''
    addEventListener('pagehide', leave)
    return () => {
      removeEventListener('pagehide', leave)
      leave()
    }
  }, [])
  useEffect(() => void open(shown.value), [shown.value])
  return (
    <div class="chat">
      <ThreadList />
      <section class="conversation" aria-label={t().chat.messages}>
        <h1 class="hidden">{t().views.chat}</h1>
        {incognito.value && <p class="incognito">{t().chat.incognitoHint}</p>}
        <Messages />
        <Composer />
      </section>
    </div>
  )
}
