import type { RunDetails } from '../api/types'
import { t } from '../texts'

type Result = NonNullable<RunDetails['result']>

/** In one sentence: what came of a run, and if nothing was published, why not. */
export function headline({ status, problem, proposal, result }: RunDetails): string {
  const words = t().learned
  if (problem) return problem
  if (proposal) return words.waits
  if (!result) return status === 'success' || status === 'interrupted' ? words.answered : words.noResult
  return isPublished(result) ? words.published(result.to_version) : whyNot(result)
}

export const isPublished = (result: Result) => result.to_version !== result.from_version

function whyNot(result: Result): string {
  const { whyNot: reasons } = t().learned
  const reason = reasons[result.stopped_by] ?? result.stopped_by
  return result.stopped_by !== 'conflict' && wouldChange(result) ? reasons.refused! : reason
}

/** Whether something passed every test, so that only a refusal can have kept it back. */
function wouldChange({ rules_before, rules_after, weights_before, weights_after }: Result): boolean {
  return JSON.stringify([rules_before, weights_before]) !== JSON.stringify([rules_after, weights_after])
}
