/** The page's words, in the reader's language. */
import { signal } from '@preact/signals'

import { de } from './de'
import { en } from './en'

export type Texts = typeof en
export const LANGUAGES: Record<string, Texts> = { en, de }

const preferred = navigator.languages.map((each) => each.slice(0, 2)).find((each) => each in LANGUAGES)
export const language = signal(preferred ?? 'en')

/** All texts, in the chosen language. */
export function t(): Texts {
  return LANGUAGES[language.value] ?? en
}

/** A moment, as people of that language write it. */
export function moment(iso: string): string {
  const style = { dateStyle: 'medium', timeStyle: 'short' } as const
  return new Intl.DateTimeFormat(language.value, style).format(new Date(iso))
}

/** A share of 1 in percent. */
export function percent(share: number): string {
  return new Intl.NumberFormat(language.value, { style: 'percent' }).format(share)
}

/** A number, as people of that language write it. */
export function number(value: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: 2 }).format(value)
}

/** A day without a time, as the server names it: 2026-11-28. */
export function dayOf(iso: string): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(iso))
}

/** An amount of money, small ones too; without a currency it is a number. */
export function money(amount: number, currency: string | null): string {
  const style = currency ? ({ style: 'currency', currency } as const) : {}
  const digits = amount !== 0 && Math.abs(amount) < 0.1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 }
  return new Intl.NumberFormat(language.value, { ...style, ...digits }).format(amount)
}
