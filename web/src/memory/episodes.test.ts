import { expect, test } from 'vitest'

import type { Episode } from '../api/types'
import { NO_FILTER, passes } from './episodes'

const episode = {
  created_at: new Date('2026-03-29T23:30').toISOString(),
  task: 'films',
  source: 'agent',
  ground_truth: null,
} as Episode

test.each([
  [{}, true],
  [{ task: 'films' }, true],
  [{ task: 'books' }, false],
  [{ source: 'import' }, false],
  [{ labelled: true }, false],
  [{ from: '2026-03-29', to: '2026-03-29' }, true],
  [{ from: '2026-03-30' }, false],
  [{ to: '2026-03-28' }, false],
])('of what a search finds, %j lets the episode through: %s', (chosen, passed) => {
  expect(passes(episode, { ...NO_FILTER, ...chosen })).toBe(passed)
})
