import type { Persona } from '../api/types'
import { percent, t } from '../texts'

/** Why a version is there, in the reader's words; what was learned says what it was worth. */
export function noteOf({ author, note, proof }: Persona): string {
  const words = t().persona
  if (author === 'initial') return ''
  const learned = scores(proof, 'batch')
  if (!learned) return note
  const heldOut = scores(proof, 'holdout')
  return `${words.learnedFrom(...learned)}${heldOut ? words.heldOut(...heldOut) : ''}.`
}

/** How near the answers were before and after, in the mean over the pairs that have both. */
function scores(proof: Persona['proof'], part: 'batch' | 'holdout'): [string, string] | undefined {
  const losses = (proof?.pairs ?? []).flatMap(({ part: of, before, after }) =>
    of === part && before !== null && after !== null ? [[before, after] as const] : [],
  )
  if (!losses.length) return undefined
  const mean = (place: 0 | 1) => percent(1 - losses.reduce((sum, each) => sum + each[place], 0) / losses.length)
  return [mean(0), mean(1)]
}
