import { useEffect } from 'preact/hooks'

import { takenBack } from '../notices'
import { t } from '../texts'
import { Facts } from './facts'
import { Prompt } from './prompt'
import { Rules } from './rules'
import { Statements } from './statements'
import { load, persona, profile } from './store'
import { Versions } from './versions'

/** How the agent speaks with the user, and what it knows about them. */
export function PersonaView() {
  useEffect(() => {
    persona.value = undefined
    profile.value = undefined
  }, [])
  useEffect(() => void load(), [takenBack.value])
  const loaded = persona.value && profile.value
  return (
    <div class="page">
      <h1>{t().views.persona}</h1>
      {loaded ? (
        <>
          <Rules />
          <Statements />
          <Facts />
          <Prompt />
          <Versions />
        </>
      ) : (
        <p class="quiet">{t().loading}</p>
      )}
    </div>
  )
}
