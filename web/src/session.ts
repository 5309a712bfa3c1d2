/** Who uses the page. Names stand in the address, tokens only in memory: nothing is stored. */
import { computed, signal } from '@preact/signals'

import type { OpenId } from './api/types'

const USER = 'user'

/** What somebody signed in with: a pasted token, or an issuer's, which can be renewed and ended there. */
export interface Credential {
  token: string
  /** What the person is called, where the token's user id is not for reading. */
  name?: string
  /** Whether the token is about to expire. */
  isStale?: () => boolean
  /** Gets another token without asking anybody. */
  renew?: () => Promise<Credential>
  /** Ends it at the issuer; gives the address where the person is signed out there too, if there is one. */
  end?: () => Promise<string | undefined>
}

/** Whether the server wants tokens; undefined until it has said so. */
const needsToken = signal<boolean | undefined>(undefined)
/** The issuer to sign in at, if there is one. */
const openid = signal<OpenId | undefined>(undefined)
const user = signal(new URLSearchParams(location.search).get(USER) ?? '')
const credential = signal<Credential | undefined>(undefined)
/** Whether the server has refused the token, which may have expired: the person is asked for another. */
const refused = signal(false)
/** Whether they do not want to sign in again now: what they ask for fails until they do. */
const declined = signal(false)
const name = computed(() => credential.value?.name ?? user.value)

type Headers = Record<string, string>
let renewing: Promise<boolean> | undefined
let waiting: ((again: boolean) => void)[] = []

function headers(): Headers {
  if (needsToken.value) return credential.value ? { Authorization: `Bearer ${credential.value.token}` } : {}
  return user.value ? { 'X-User-Id': user.value } : {}
}

function signInAs(chosen: string): void {
  user.value = chosen
  const address = new URL(location.href)
  address.searchParams.set(USER, chosen)
  history.replaceState(null, '', address)
}

function signInWith(given: Credential): void {
  const before = user.value
  credential.value = given
  user.value = nameIn(given.token)
  goOn(user.value === before)
}

/** Forgets who it was; gives the address where they are signed out at the issuer too, if there is one. */
async function signOut(): Promise<string | undefined> {
  const left = credential.value
  credential.value = undefined
  user.value = ''
  history.replaceState(null, '', location.pathname)
  goOn(false)
  return left?.end?.()
}

/** Another token without asking the person, once for all who want one; whether there is one now. */
function renew(): Promise<boolean> {
  const before = credential.value
  if (!before?.renew) return Promise.resolve(false)
  renewing ??= before
    .renew()
    .then((renewed) => {
      if (credential.value !== before) return false // somebody has signed out or in meanwhile
      credential.value = renewed
      return true
    }, () => false)
    .finally(() => (renewing = undefined))
  return renewing
}

/** Renews a token that is about to expire. */
async function keepFresh(): Promise<void> {
  if (credential.value?.isStale?.()) await renew()
}

/**
 * After the server has refused what was sent: whether to send it again. The first time without asking
 * anybody, where that can be; then once the same person has signed in again.
 */
async function another(sent: Headers, isFirst: boolean): Promise<boolean> {
  if (!needsToken.value || !credential.value) return false
  if (sent.Authorization !== headers().Authorization) return true
  if (isFirst && (await renew())) return true
  if (!credential.value || declined.value) return false
  refused.value = true
  return new Promise((resolve) => waiting.push(resolve))
}

/** The person does not sign in again now: what waits for it has failed. */
function decline(): void {
  goOn(false)
  declined.value = true
}

/** Now they do. */
function askAgain(): void {
  declined.value = false
  refused.value = true
}

function goOn(again: boolean): void {
  refused.value = false
  declined.value = false
  for (const resolve of waiting) resolve(again)
  waiting = []
}

/** Whether there is somebody to ask for. */
function known(): boolean {
  return needsToken.value ? credential.value !== undefined : user.value !== ''
}

/** What a token says; only the server can say whether it is genuine. */
export function claimsIn(token: string): Record<string, unknown> {
  try {
    const claims = token.split('.')[1] ?? ''
    const bytes = Uint8Array.from(atob(claims.replaceAll('-', '+').replaceAll('_', '/')), (each) =>
      each.charCodeAt(0),
    )
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** The user whom a token names. */
export function nameIn(token: string): string {
  return String(claimsIn(token).sub ?? '')
}

export const session = {
  needsToken,
  openid,
  user,
  name,
  refused,
  declined,
  headers,
  signInAs,
  signInWith,
  signOut,
  keepFresh,
  another,
  decline,
  askAgain,
  known,
}
