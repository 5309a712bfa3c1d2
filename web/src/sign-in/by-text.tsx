import { useId, useState } from 'preact/hooks'

import { session } from '../session'
import { t } from '../texts'

/** Takes a name, or where the server wants one, a token. */
export function ByText() {
  const [value, setValue] = useState('')
  const kind = session.needsToken.value ? { type: 'password' as const } : { type: 'text' as const }
  const id = useId()
  const tokens = session.needsToken.value
  const words = t().signIn
  const submit = (event: Event) => {
    event.preventDefault()
    const text = value.trim()
    if (!text) return
    if (tokens) session.signInWith({ token: text })
    else session.signInAs(text)
  }
  return (
    <form onSubmit={submit}>
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
