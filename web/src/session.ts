/** Who uses the page. Names stand in the address, tokens only in memory: nothing is stored. */
import { signal } from '@preact/signals'

const USER = 'user'

/** Whether the server wants tokens; undefined until it has said so. */
const needsToken = signal<boolean | undefined>(undefined)
const user = signal(new URLSearchParams(location.search).get(USER) ?? '')
const token = signal('')
/** Whether the server has refused the token, which may have expired. */
const refused = signal(false)

function headers(): Record<string, string> {
  if (needsToken.value) return token.value ? { Authorization: `Bearer ${token.value}` } : {}
  return user.value ? { 'X-User-Id': user.value } : {}
}

function signInAs(name: string): void {
  user.value = name
  const address = new URL(location.href)
  address.searchParams.set(USER, name)
  history.replaceState(null, '', address)
}

function signInWith(pasted: string): void {
  token.value = pasted
  user.value = nameIn(pasted)
  refused.value = false
}

function signOut(): void {
  token.value = ''
  user.value = ''
  history.replaceState(null, '', location.pathname)
}

function refuse(): void {
  if (!needsToken.value) return
  refused.value = token.value !== ''
  token.value = ''
}

/** Whether there is somebody to ask for. */
function known(): boolean {
  return needsToken.value ? token.value !== '' : user.value !== ''
}

/** The user whom a token names; only the server can say whether it is genuine. */
export function nameIn(pasted: string): string {
  try {
    const claims = pasted.split('.')[1] ?? ''
    const bytes = Uint8Array.from(atob(claims.replaceAll('-', '+').replaceAll('_', '/')), (each) =>
      each.charCodeAt(0),
    )
    return String((JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown }).sub ?? '')
  } catch {
    return ''
  }
}

export const session = {
  needsToken,
  user,
  token,
  refused,
  headers,
  signInAs,
  signInWith,
  signOut,
  refuse,
  known,
}
