import type { Imported } from '../api/types'
import { t } from '../texts'
import { LeftOut } from './left-out'

/** What an import did: it stays in view until the next one. */
export function ImportResult({ imported }: { imported: Imported }) {
  const words = t().imports
  const lines = [
    ...(imported.cancelled ? [words.cancelled] : []),
    words.done(imported.added),
    ...(imported.skipped ? [words.known(imported.skipped)] : []),
    ...(imported.forgotten ? [words.forgotten(imported.forgotten)] : []),
    ...imported.warnings,
  ]
  return (
    <section class="card" aria-label={words.result}>
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
      <LeftOut {...imported} />
    </section>
  )
}
