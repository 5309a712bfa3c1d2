import type { ImportPreview } from '../api/types'
import { moment, t } from '../texts'
import { LeftOut } from './left-out'

/** What an import would add, and what it would leave out. */
export function ImportSummary({ preview }: { preview: ImportPreview }) {
  const words = t().imports
  const lines = [
    words.found(preview.episodes),
    words.fresh(preview.new),
    ...(preview.known ? [words.known(preview.known)] : []),
    ...(preview.forgotten ? [words.forgotten(preview.forgotten)] : []),
  ]
  return (
    <>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {preview.oldest && preview.newest && (
        <p class="quiet">{words.from(moment(preview.oldest), moment(preview.newest))}</p>
      )}
      <LeftOut {...preview} />
    </>
  )
}
