/** Which view is shown: the part of the address after `#`, as `#/chat/THREAD`. */
import { computed, signal } from '@preact/signals'

const hash = signal(location.hash)
addEventListener('hashchange', () => (hash.value = location.hash))

const parts = computed(() => hash.value.replace(/^#\/?/, '').split('/').map(decodeURIComponent))

/** The view's name, and the id of what it shows, if any. */
export const view = computed(() => parts.value[0] || 'chat')
export const shown = computed(() => parts.value[1] ?? '')

export function addressOf(name: string, id = ''): string {
  return id ? `#/${name}/${encodeURIComponent(id)}` : `#/${name}`
}

export function go(name: string, id = ''): void {
  location.hash = addressOf(name, id)
}
