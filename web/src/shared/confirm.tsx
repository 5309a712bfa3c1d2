import type { ComponentChildren } from 'preact'

import { t } from '../texts'
import { Dialog } from './dialog'

interface Props {
  title: string
  action: string
  onYes: () => void
  onNo: () => void
  children?: ComponentChildren
}

/** Asks before something goes for good. */
export function Confirm({ title, action, onYes, onNo, children }: Props) {
  return (
    <Dialog title={title} onClose={onNo}>
      {children}
      <div class="buttons">
        <button type="button" onClick={onNo}>
          {t().cancel}
        </button>
        <button type="button" class="danger" onClick={onYes}>
          {action}
        </button>
      </div>
    </Dialog>
  )
}
