import { useEffect, useState } from 'preact/hooks'

import { importFile, previewImport } from '../api/memory'
import type { Imported, ImportPreview } from '../api/types'
import { attempt, tellWithUndo } from '../notices'
import { Dialog } from '../shared/dialog'
import { FileField } from '../shared/file-field'
import { t } from '../texts'
import { ImportProgress } from './import-progress'
import { ImportResult } from './import-result'
import { ImportSummary } from './import-summary'
import { watch } from './importing'

/** Takes in a history: a file is dropped or chosen, looked at, and only then remembered. */
export function ImportFile({ onImported }: { onImported: () => void }) {
  const [file, setFile] = useState<File>()
  const [preview, setPreview] = useState<ImportPreview>()
  const [imported, setImported] = useState<Imported>()
  const [busy, setBusy] = useState('')
  const [over, setOver] = useState(false)
  const words = t().imports
  useEffect(() => void watch().then((seen) => seen && onImported()), []) // another tab may import, or this one was reloaded
  const close = () => (setFile(undefined), setPreview(undefined))

  const working = async (what: string, work: () => Promise<void>) => {
    let ended = false
    setImported(undefined)
    setBusy(what)
    void watch(() => ended)
    await attempt(work)
    ended = true
    setBusy('')
  }
  const look = async (chosen: File | undefined) => {
    if (!chosen || busy) return
    await working(words.reading(chosen.name), async () => {
      setPreview(await previewImport(chosen))
      setFile(chosen)
    })
  }
  const take = async () => {
    const chosen = file!
    close()
    await working(words.importing(chosen.name), async () => {
      const result = await importFile(chosen)
      setImported(result)
      if (result.added) await tellWithUndo(words.done(result.added))
      onImported()
    })
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
      <p class="quiet">{words.hint}</p>
      <ImportProgress busy={busy} />
      {imported && <ImportResult imported={imported} />}
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
