import { useId, useState } from 'preact/hooks'

import { session } from './session'
import { t } from './texts'

/** Asks who it is: by a name on one's own machine, else by a token. */
export function SignIn() {
  const [value, setValue] = useState('')
  const kind = session.needsToken.value ? { type: 'password' as const } : { type: 'text' as const }
  const id = useId()
  const tokens = session.needsToken.value
  const words = t().signIn
  const submit = (event: Event) => {
    event.preventDefault()
    const text = value.trim()
    if (text) (tokens ? session.signInWith : session.signInAs)(text)
  }
  return (
    <form class="sign-in" onSubmit={submit}>
      <h1>{words.title}</h1>
      {session.refused.value && <p role="alert">{words.refused}</p>}
      <label for={id}>{tokens ? words.token : words.user}</label>
      <input
        id={id}
        {...kind}
        autocomplete="off"
        spellcheck={false}
        aria-describedby={`${id}-hint`}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
      />
      <p class="quiet" id={`${id}-hint`}>
        {tokens ? words.tokenHint : words.userHint}
      </p>
      <button type="submit" class="main">
        {words.go}
      </button>
    </form>
  )
}
