import { session } from '../session'
import { Dialog } from '../shared/dialog'
import { t } from '../texts'
import { Ways } from './sign-in'

/** Asks for another token over the view, which keeps all that was typed; what was sent then goes on. */
export function SignInAgain() {
  const words = t().signIn
  return (
    <Dialog title={words.again} onClose={session.giveUp}>
      <p role="alert">{session.openid.value ? words.expired : words.refused}</p>
      <Ways />
      <div class="buttons">
        <button type="button" onClick={session.giveUp}>
          {t().cancel}
        </button>
      </div>
    </Dialog>
  )
}
