import { session } from '../session'
import { Dialog } from '../shared/dialog'
import { t } from '../texts'
import { Ways } from './sign-in'

/** Says over the view that the sign-in has expired, where the person has put off the new one. */
export function Declined() {
  return (
    <p class="expired" role="status">
      {t().signIn.declined}{' '}
      <button type="button" onClick={session.askAgain}>
        {t().signIn.again}
      </button>
    </p>
  )
}

/** Asks for another token over the view, which keeps all that was typed; what was sent then goes on. */
export function SignInAgain() {
  const words = t().signIn
  return (
    <Dialog title={words.again} onClose={session.decline}>
      <p role="alert">{session.openid.value ? words.expired : words.refused}</p>
      <Ways />
      <div class="buttons">
        <button type="button" onClick={session.decline}>
          {t().cancel}
        </button>
      </div>
    </Dialog>
  )
}
