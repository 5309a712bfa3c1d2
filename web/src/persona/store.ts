/** Persona and profile as they stand; every change is shown with a way back. */
import { signal } from '@preact/signals'

import { listVersions, showPersona, showProfile } from '../api/persona'
import type { Persona, Profile } from '../api/types'
import { attempt, notice, tellWithUndo } from '../notices'
import { t } from '../texts'

export const persona = signal<Persona | undefined>(undefined)
export const profile = signal<Profile | undefined>(undefined)
/** The versions that were loaded, the newest first. */
export const versions = signal<Persona[]>([])
export const olderVersions = signal<string | null>(null)

export async function load(): Promise<void> {
  await attempt(async () => {
    const [rules, known, listed] = await Promise.all([showPersona(), showProfile(), listVersions()])
    persona.value = rules
    profile.value = known
    versions.value = listed.items
    olderVersions.value = listed.next ?? null
  })
}

export async function loadOlder(): Promise<void> {
  await attempt(async () => {
    const listed = await listVersions(olderVersions.value ?? '')
    versions.value = [...versions.value, ...listed.items]
    olderVersions.value = listed.next ?? null
  })
}

/** Makes a change, shows what came of it, and offers to take it back. */
export async function change(action: () => Promise<unknown>): Promise<void> {
  notice.value = undefined // its way back leads to before this change, and would be refused
  const done = await attempt(action)
  await load()
  if (done) await tellWithUndo(t().persona.changed)
}
