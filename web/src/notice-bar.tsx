import { notice, takeBack } from './notices'
import { t } from './texts'

/** The latest note; screen readers read it out. */
export function NoticeBar() {
  const shown = notice.value
  return (
    <div class="notice" role={shown?.failed ? 'alert' : 'status'} aria-live="polite" data-failed={shown?.failed}>
      {shown && (
        <>
          <span>{shown.text}</span>
          {shown.undoKey !== undefined && (
            <button type="button" onClick={() => void takeBack(shown.undoKey!)}>
              {t().undo}
            </button>
          )}
          <button type="button" onClick={() => (notice.value = undefined)}>
            {t().close}
          </button>
        </>
      )}
    </div>
  )
}
