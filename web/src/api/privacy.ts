/** Our routes about the whole memory: where it goes, and copies of it. */
import { ask, send } from './client'
import type { Budget, Destination, Receipt, Restored } from './types'

export const listDestinations = () => ask<Destination[]>('/me/destinations')

export const showBudget = () => ask<Budget>('/me/budget')

export const forgetMe = () => ask<Receipt>('/me', { method: 'DELETE' })

export function restore(archive: Blob, replace: boolean): Promise<Restored> {
  return ask(`/me/restore?replace=${replace}`, { method: 'POST', body: archive })
}

/** Lets the browser save what a route sends; a plain link could not say who asks. */
export async function download(path: '/me/export' | '/me/backup', name: string): Promise<void> {
  const address = URL.createObjectURL(await (await send(path)).blob())
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}
