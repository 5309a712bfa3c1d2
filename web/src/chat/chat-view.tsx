import { useLayoutEffect } from 'preact/hooks'

import { shown } from '../route'
import { t } from '../texts'
import { Composer } from './composer'
import { incognito, leave, open, refresh } from './conversation'
import { Messages } from './messages'
import { ThreadList } from './thread-list'
import { loadThreads, sought } from './threads'

/** Another tab may have been used meanwhile. */
function show(): void {
  void loadThreads()
  void refresh()
}

/** The conversations, and the one that is shown. */
export function ChatView() {
  // Before the first key: a question that came sooner would be left behind.
  useLayoutEffect(() => {
    sought.value = ''
    addEventListener('pagehide', leave)
    addEventListener('focus', show)
    return () => {
      removeEventListener('pagehide', leave)
      removeEventListener('focus', show)
      leave()
    }
  }, [])
  useLayoutEffect(() => void open(shown.value), [shown.value])
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
