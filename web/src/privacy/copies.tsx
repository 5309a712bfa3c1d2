import { useState } from 'preact/hooks'

import { download, restore } from '../api/privacy'
import { attempt, tell } from '../notices'
import { Confirm } from '../shared/confirm'
import { FileField } from '../shared/file-field'
import { t } from '../texts'

/** Copies of the memory: out, and back in. */
export function Copies() {
  const [archive, setArchive] = useState<File>()
  const [replace, setReplace] = useState(false)
  const [busy, setBusy] = useState(false)
  const words = t().privacy
  const work = async (action: () => Promise<unknown>) => {
    setBusy(true)
    await attempt(action)
    setBusy(false)
  }
  const bringBack = (file: File) => {
    setArchive(undefined)
    void work(async () => {
      const { added } = await restore(file, replace)
      tell(words.restored(added))
    })
  }
  return (
    <section aria-labelledby="copies" aria-busy={busy}>
      <h2 id="copies">{words.copies}</h2>
      <div class="buttons">
        <button type="button" disabled={busy} onClick={() => void work(() => download('/me/export', 'episodes.jsonl'))}>
          {words.exportAll}
        </button>
        <button type="button" disabled={busy} onClick={() => void work(() => download('/me/backup', 'personaagent.zip'))}>
          {words.backup}
        </button>
      </div>
      <p class="quiet">{words.copiesHint}</p>
      <FileField label={words.restore} accept=".zip" disabled={busy} onChoose={setArchive} />
      {archive && (
        <Confirm title={words.restoreAsk(archive.name)} action={words.restore} onNo={() => setArchive(undefined)} onYes={() => bringBack(archive)}>
          <p>{words.restoreHint}</p>
          <label class="check">
            <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} />
            {words.replace}
          </label>
        </Confirm>
      )}
    </section>
  )
}
