import type { Turn } from '../api/threads'
import type { Episode } from '../api/types'
import { go } from '../route'
import { EpisodeCard } from '../shared/episode-card'
import { t } from '../texts'
import { Chances } from './chances'
import { leave, thread } from './conversation'
import { RulesOfTurn } from './rules-of-turn'
import { StatementsOfTurn } from './statements-of-turn'
import { loadThreads } from './threads'

/** So many memories are shown at once: the rules must not be far below. */
const FIRST = 3

interface Props {
  turn: Turn | null
  /** What was asked; empty if what is said of the memories must not be kept. */
  question: string
}

/** What an answer rests on: memories, statements, rules, the decision, and the very prompt. */
export function Why({ turn, question }: Props) {
  const words = t().why
  if (!turn) return <p class="quiet">{words.none}</p>
  const recalled = turn.recalled ?? []
  const statements = (turn.profile?.summary ?? []).filter(({ text }) => turn.system_prompt?.includes(text))
  return (
    <div class="why">
      <h2>{recalled.length ? words.episodes : words.noEpisodes}</h2>
      <Memories episodes={recalled.slice(0, FIRST)} question={question} />
      {recalled.length > FIRST && (
        <details>
          <summary>{words.moreEpisodes(recalled.length - FIRST)}</summary>
          <Memories episodes={recalled.slice(FIRST)} question={question} />
        </details>
      )}
      {statements.length > 0 && <StatementsOfTurn statements={statements} onForgotten={afterForgetting} />}
      {turn.persona && <RulesOfTurn persona={turn.persona} />}
      {turn.decision && <Chances decision={turn.decision} />}
      {turn.system_prompt && (
        <details>
          <summary>{words.prompt}</summary>
          <pre tabIndex={0}>{turn.system_prompt}</pre>
        </details>
      )}
    </div>
  )
}

function Memories({ episodes, question }: { episodes: Episode[]; question: string }) {
  return (
    <>
      {episodes.map((each) => (
        <EpisodeCard key={each.id} episode={each} question={question} onForgotten={afterForgetting} />
      ))}
    </>
  )
}

/** Conversations that contained the memory are gone, perhaps this one too. */
function afterForgetting(threads: string[]): void {
  if (threads.includes(thread.value)) {
    leave()
    go('chat')
  }
  void loadThreads()
}
