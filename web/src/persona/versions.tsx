import { useState } from 'preact/hooks'

import { compareVersions, rollBack } from '../api/persona'
import type { Difference, Persona } from '../api/types'
import { attempt } from '../notices'
import { Confirm } from '../shared/confirm'
import { moment, t } from '../texts'
import { Changes } from './changes'
import { noteOf } from './note'
import { change, loadOlder, olderVersions, persona, versions } from './store'

/** All versions of the rules: how any two differ, and the way back to one. */
export function Versions() {
  const [returning, setReturning] = useState<number>()
  const words = t().persona
  const back = (version: number) => {
    setReturning(undefined)
    void change(() => rollBack(version))
  }
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">{words.versions}</h2>
      <Compare />
      <ol class="plain" reversed>
        {versions.value.map((each) => (
          <li class="card" key={each.version}>
            <p>
              <strong>{words.version(each.version)}</strong>{' '}
              <span class="quiet">
                {moment(each.created_at)} · {words.authors[each.author]}
              </span>
            </p>
            {noteOf(each) && <p>{noteOf(each)}</p>}
            {each.version !== persona.value!.version && (
              <button type="button" class="small" onClick={() => setReturning(each.version)}>
                {words.rollBack}
              </button>
            )}
          </li>
        ))}
      </ol>
      {olderVersions.value && (
        <button type="button" onClick={() => void loadOlder()}>
          {t().more}
        </button>
      )}
      {returning !== undefined && (
        <Confirm title={words.rollBackTo(returning)} action={words.rollBack} onNo={() => setReturning(undefined)} onYes={() => back(returning)}>
          <p>{words.rollBackHint}</p>
        </Confirm>
      )}
    </section>
  )
}

function Compare() {
  const all = versions.value
  const [before, setBefore] = useState<number>()
  const [after, setAfter] = useState<number>()
  const [difference, setDifference] = useState<Difference>()
  if (all.length < 2) return null
  const [one, other] = [before ?? all[1]!.version, after ?? all[0]!.version]
  const words = t().persona
  const compare = (event: Event) => {
    event.preventDefault()
    void attempt(async () => setDifference(await compareVersions(one, other)))
  }
  return (
    <>
      <form class="bar" onSubmit={compare}>
        <Pick label={words.before} versions={all} value={one} onPick={setBefore} />
        <Pick label={words.after} versions={all} value={other} onPick={setAfter} />
        <button type="submit">{words.compare}</button>
      </form>
      {difference && <Changes difference={difference} />}
    </>
  )
}

interface PickProps {
  label: string
  versions: Persona[]
  value: number
  onPick: (version: number) => void
}

function Pick({ label, versions: all, value, onPick }: PickProps) {
  return (
    <label>
      {label}
      <select value={String(value)} onChange={(event) => onPick(Number(event.currentTarget.value))}>
        {all.map(({ version }) => (
          <option key={version} value={String(version)}>
            {t().persona.version(version)}
          </option>
        ))}
      </select>
    </label>
  )
}
