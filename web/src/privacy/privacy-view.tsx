import { PauseRemembering } from '../memory/pause'
import { session } from '../session'
import { t } from '../texts'
import { Budget } from './budget'
import { Copies } from './copies'
import { Destinations } from './destinations'
import { ForgetAll } from './forget-all'

/** What becomes of the user's data: whether it grows, where it goes, what the day allows, copies of it, and its end. */
export function PrivacyView() {
  const words = t().privacy
  return (
    <div class="page">
      <h1>{t().views.privacy}</h1>
      <PauseRemembering />
      <Destinations />
      <Budget />
      <Copies />
      <section aria-labelledby="browser">
        <h2 id="browser">{words.browser}</h2>
        <p>{session.needsToken.value ? words.browserWithToken : words.browserWithName}</p>
      </section>
      <ForgetAll />
    </div>
  )
}
