import { expect, test } from 'vitest'

import { LANGUAGES } from '.'

function paths(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${at}:${typeof value}`]
  return Object.entries(value).flatMap(([key, each]) => paths(each, `${at}.${key}`))
}

test.each(Object.keys(LANGUAGES))('%s has every text, and none is empty', (language) => {
  const texts = LANGUAGES[language]!
  expect(paths(texts).sort()).toEqual(paths(LANGUAGES.en).sort())
  expect(JSON.stringify(texts)).not.toContain('""')
})
