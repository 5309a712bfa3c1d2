import { useState } from 'preact/hooks'

import { importFile, previewImport } from '../api/memory'
import type { ImportPreview } from '../api/types'
import { attempt, tell, tellWithUndo } from '../notices'
import { Dialog } from '../shared/dialog'
import { FileField } from '../shared/file-field'
import { t } from '../texts'
import { ImportSummary } from './import-summary'

/** Takes in a history: a file is dropped or chosen, looked at, and only then remembered. */
export function ImportFile({ onImported }: { onImported: () => void }) {
  const [file, setFile] = useState<File>()
  const [preview, setPreview] = useState<ImportPreview>()
  const [busy, setBusy] = useState('')
  const [over, setOver] = useState(false)
  const words = t().imports
  const close = () => (setFile(undefined), setPreview(undefined))

  const look = async (chosen: File | undefined) => {
    if (!chosen || busy) return
    setBusy(words.reading(chosen.name))
    await attempt(async () => {
      setPreview(await previewImport(chosen))
      setFile(chosen)
    })
    setBusy('')
  }
  const take = async () => {
    const chosen = file!
    close()
    setBusy(words.importing(chosen.name))
    await attempt(async () => {
      const { added, warnings } = await importFile(chosen)
      const text = [words.done(added), ...warnings].join(' ')
      await (added ? tellWithUndo(text) : Promise.resolve(tell(text)))
      onImported()
    })
    setBusy('')
  }
  return (
    <section
      class="drop"
      data-over={over}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => (event.preventDefault(), setOver(false), void look(event.dataTransfer?.files[0]))}
    >
      <FileField label={words.choose} disabled={busy !== ''} onChoose={(chosen) => void look(chosen)} />
      <p class="quiet" role="status">
        {busy ? <progress aria-label={busy} /> : null} {busy || words.hint}
      </p>
      {file && preview && (
        <Dialog title={words.title(file.name)} onClose={close}>
          <ImportSummary preview={preview} />
          <div class="buttons">
            <button type="button" onClick={close}>
              {t().cancel}
            </button>
            <button type="button" class="main" disabled={preview.new === 0} onClick={() => void take()}>
              {words.take(preview.new)}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  )
}
