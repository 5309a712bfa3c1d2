import { CONDITIONS, type Condition, type Scorecard } from '../api/scorecard'

/** The mean score over the first question, over the first two, and so on. */
export function runningScores(episodes: Scorecard['episodes'], condition: Condition): number[] {
  let total = 0
  return episodes
    .filter(({ losses }) => CONDITIONS.every((each) => losses[each] !== null))
    .map(({ losses }, place) => {
      total += 1 - losses[condition]!
      return total / (place + 1)
    })
}
