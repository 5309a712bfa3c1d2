import { t } from '../texts'

interface Props {
  left_out: number
  problems: string[]
  messages_left_out: Record<string, number>
}

/** What of a file is not imported, and why. */
export function LeftOut({ left_out, problems, messages_left_out }: Props) {
  const words = t().imports
  const messages = Object.entries(messages_left_out)
  if (!left_out && !messages.length) return null
  return (
    <details open>
      <summary>{words.notTaken}</summary>
      <ul>
        {left_out > 0 && <li>{words.leftOut(left_out)}</li>}
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
        {messages.map(([why, count]) => (
          <li key={why}>{words.messages(count, why)}</li>
        ))}
      </ul>
    </details>
  )
}
