import { editRules, lockRule, type RuleEdit } from '../api/persona'
import { t } from '../texts'
import { Adding } from './adding'
import { Line } from './line'
import { noteOf } from './note'
import { change, persona } from './store'

/** The rules that the model is told in every turn. */
export function Rules() {
  const { rules, version, weights } = persona.value!
  const note = noteOf(persona.value!)
  const words = t().persona
  const edit = (changes: Omit<RuleEdit, 'version'>) => void change(() => editRules({ ...changes, version }))
  return (
    <section aria-labelledby="rules">
      <h2 id="rules">{words.rules(version)}</h2>
      {note && <p class="quiet">{note}</p>}
      {rules.length === 0 && <p class="quiet">{words.noRules}</p>}
      <ul class="plain">
        {rules.map((rule) => (
          <Line
            key={rule.id}
            text={rule.text}
            locked={rule.locked}
            evidence={rule.evidence}
            removal={words.remove}
            onEdit={(text) => edit({ replace: { [rule.id]: text } })}
            onLock={(locked) => void change(() => lockRule(rule.id, locked))}
            onRemove={() => edit({ remove: [rule.id] })}
          />
        ))}
      </ul>
      <Adding label={words.addRule} onAdd={(text) => edit({ add: [text] })} />
      {weights.length > 0 && (
        <details>
          <summary>{words.weights}</summary>
          <pre tabIndex={0}>{JSON.stringify(weights, null, 2)}</pre>
        </details>
      )}
    </section>
  )
}
