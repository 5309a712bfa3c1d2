import { session } from '../session'
import { t } from '../texts'
import { AtIssuer } from './at-issuer'
import { ByText } from './by-text'

/** Asks who it is: by a name on one's own machine, else at the issuer or by a token. */
export function SignIn() {
  return (
    <div class="sign-in">
      <h1>{t().signIn.title}</h1>
      <Ways />
    </div>
  )
}

/** The ways to sign in here. */
export function Ways() {
  const openid = session.openid.value
  if (!openid) return <ByText />
  return (
    <>
      <AtIssuer openid={openid} />
      <details>
        <summary>{t().signIn.byToken}</summary>
        <ByText />
      </details>
    </>
  )
}
