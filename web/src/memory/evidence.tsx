import { useState } from 'preact/hooks'

import { showPersona, showProfile } from '../api/persona'
import type { Rule, Statement } from '../api/types'
import { attempt } from '../notices'
import { t } from '../texts'

type Resting = (Rule | Statement)[]

/** Which rules and statements rest on a memory. */
export function Evidence({ episode }: { episode: string }) {
  const [resting, setResting] = useState<Resting>()
  const words = t().memory
  const toggle = () => {
    if (resting) return setResting(undefined)
    void attempt(async () => {
      const [persona, profile] = await Promise.all([showPersona(), showProfile()])
      setResting([...persona.rules, ...profile.summary].filter((each) => each.evidence.includes(episode)))
    })
  }
  return (
    <>
      <button type="button" class="small" aria-expanded={resting !== undefined} onClick={toggle}>
        {words.resting}
      </button>
      {resting?.length === 0 && <p class="quiet">{words.nothingRests}</p>}
      {resting && resting.length > 0 && (
        <ul>
          {resting.map((each) => (
            <li key={each.id}>{each.text}</li>
          ))}
        </ul>
      )}
    </>
  )
}
