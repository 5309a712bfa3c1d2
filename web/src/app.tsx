import { useEffect } from 'preact/hooks'

import { ask } from './api/client'
import type { SignIn as SignInNeeds } from './api/types'
import { ChatView } from './chat/chat-view'
import { Header } from './header'
import { NoticeBar } from './notice-bar'
import { LearnedView } from './learned/learned-view'
import { MemoryView } from './memory/memory-view'
import { attempt } from './notices'
import { PersonaView } from './persona/persona-view'
import { PrivacyView } from './privacy/privacy-view'
import { view } from './route'
import { ScorecardView } from './scorecard/scorecard-view'
import { session } from './session'
import { SignIn } from './sign-in/sign-in'
import { Declined, SignInAgain } from './sign-in/sign-in-again'
import { language, t } from './texts'

export const VIEWS: Record<string, () => preact.JSX.Element> = {
  chat: ChatView,
  memory: MemoryView,
  persona: PersonaView,
  learned: LearnedView,
  scorecard: ScorecardView,
  privacy: PrivacyView,
}

async function learnSignIn(): Promise<void> {
  await attempt(async () => {
    const { tokens, openid } = await ask<SignInNeeds>('/sign-in')
    session.openid.value = openid ?? undefined
    session.needsToken.value = tokens
  })
}

/** The whole page: the view that the address names, for whoever has signed in. */
export function App() {
  useEffect(() => void learnSignIn(), [])
  const name = view.value in VIEWS ? view.value : 'chat'
  const View = VIEWS[name]!
  useEffect(() => {
    document.documentElement.lang = language.value
    document.title = `${t().views[name]} – ${t().app}`
  }, [name, language.value])
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {t().skip}
      </a>
      <Header />
      <main id="content" tabIndex={-1}>
        <Content View={View} />
      </main>
      <NoticeBar />
    </>
  )
}

function Content({ View }: { View: () => preact.JSX.Element }) {
  if (session.needsToken.value === undefined) return <p class="quiet">{t().loading}</p>
  if (!session.known()) return <SignIn />
  return (
    <>
      {session.declined.value && <Declined />}
      <View key={session.user.value} />
      {session.refused.value && <SignInAgain />}
    </>
  )
}

function skip(event: Event): void {
  event.preventDefault() // the part of the address after # names the view
  document.getElementById('content')?.focus()
}
