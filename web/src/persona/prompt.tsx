import { useId, useState } from 'preact/hooks'

import { showPrompt } from '../api/persona'
import type { ShownPrompt } from '../api/types'
import { attempt } from '../notices'
import { t } from '../texts'

/** What the model is told right now, with any question or with this one; nothing is asked. */
export function Prompt() {
  const [question, setQuestion] = useState('')
  const [shown, setShown] = useState<ShownPrompt>()
  const id = useId()
  const words = t().persona
  const show = (event: Event) => {
    event.preventDefault()
    void attempt(async () => setShown(await showPrompt(question.trim())))
  }
  return (
    <section aria-labelledby="prompt">
      <h2 id="prompt">{words.prompt}</h2>
      <form class="bar" onSubmit={show}>
        <label for={id}>
          {words.promptFor}
          <input id={id} type="text" value={question} onInput={(event) => setQuestion(event.currentTarget.value)} />
        </label>
        <button type="submit">{words.promptShow}</button>
      </form>
      {shown && (
        <>
          <p class="quiet">{words.tokens(shown.tokens)}</p>
          {shown.warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
          <pre tabIndex={0} aria-label={words.prompt}>
            {shown.system_prompt}
          </pre>
        </>
      )}
    </section>
  )
}
