import { editRules, showPersona, type RuleEdit } from '../api/persona'
import type { Persona } from '../api/types'
import { attempt, tell, tellWithUndo } from '../notices'
import { t } from '../texts'
import { SourceLine } from './source-line'

/** The rules that an answer followed; what is changed here holds from the next answer on. */
export function RulesOfTurn({ persona }: { persona: Persona }) {
  const words = t().why
  return (
    <>
      <h2>{words.rules(persona.version)}</h2>
      <ul>
        {persona.rules.map(({ id, text }) => (
          <SourceLine
            key={id}
            text={text}
            removal={t().persona.remove}
            onCorrect={(corrected) => void edit(id, { replace: { [id]: corrected } })}
            onRemove={() => void edit(id, { remove: [id] })}
          />
        ))}
      </ul>
    </>
  )
}

/** Changes a rule of today's persona: the answer may have followed an older one. */
async function edit(rule: string, change: Omit<RuleEdit, 'version'>): Promise<void> {
  await attempt(async () => {
    const { rules, version } = await showPersona()
    if (!rules.some(({ id }) => id === rule)) return tell(t().why.ruleGone)
    await editRules({ ...change, version })
    await tellWithUndo(t().persona.changed)
  })
}
