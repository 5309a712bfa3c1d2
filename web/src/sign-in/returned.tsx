import { useEffect, useState } from 'preact/hooks'

import { t } from '../texts'
import { handBack } from './answers'

/** The window that comes back from the issuer: it hands on the answer, and closes. */
export function Returned({ answer }: { answer: URLSearchParams }) {
  const [taken, setTaken] = useState<boolean | undefined>(undefined)
  useEffect(() => {
    history.replaceState(null, '', location.pathname)
    void handBack(answer).then((was) => {
      setTaken(was)
      if (was) close()
    })
  }, [])
  const words = t().signIn
  return (
    <main class="sign-in">
      <h1>{t().app}</h1>
      <p role="status">{taken === undefined ? t().loading : taken ? words.returned : words.lost}</p>
      {taken === false && <a href={location.pathname}>{words.anew}</a>}
    </main>
  )
}
