import type { ImportPreview } from '../api/types'
import { moment, t } from '../texts'

/** What an import would add, and what it would leave out. */
export function ImportSummary({ preview }: { preview: ImportPreview }) {
  const words = t().imports
  const lines = [
    words.found(preview.episodes),
    words.fresh(preview.new),
    ...(preview.known ? [words.known(preview.known)] : []),
    ...(preview.forgotten ? [words.forgotten(preview.forgotten)] : []),
    ...(preview.left_out ? [words.leftOut(preview.left_out)] : []),
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
      {preview.problems.length > 0 && (
        <details>
          <summary>{words.problems}</summary>
          <ul>
            {preview.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}
