import { useId, useState } from 'preact/hooks'

import { forgetMe } from '../api/privacy'
import { leave } from '../chat/conversation'
import { attempt, tell } from '../notices'
import { session } from '../session'
import { Confirm } from '../shared/confirm'
import { t } from '../texts'

/** The end of everything that is known about the user: they type their name, so that no slip does it. */
export function ForgetAll() {
  const [typed, setTyped] = useState('')
  const [asking, setAsking] = useState(false)
  const id = useId()
  const words = t().privacy
  const name = session.user.value
  const forget = () => {
    setAsking(false)
    setTyped('')
    void attempt(async () => {
      leave()
      const receipt = await forgetMe()
      tell(words.allForgotten(receipt.episodes.length))
    })
  }
  const ask = (event: Event) => {
    event.preventDefault()
    if (typed === name) setAsking(true)
  }
  return (
    <section aria-labelledby="end">
      <h2 id="end">{words.forgetAll}</h2>
      <p>{words.forgetAllHint}</p>
      <form class="bar" onSubmit={ask}>
        <label for={id}>
          {words.typeName(name)}
          <input id={id} type="text" autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <button type="submit" class="danger" disabled={typed !== name}>
          {words.forgetAll}
        </button>
      </form>
      {asking && (
        <Confirm title={words.forgetAllAsk} action={words.forgetAll} onNo={() => setAsking(false)} onYes={forget}>
          <p>{words.forgetAllHint}</p>
        </Confirm>
      )}
    </section>
  )
}
