import { expect, test } from 'vitest'

import type { Scorecard } from '../api/scorecard'
import { runningScores } from './running-means'

const episode = (none: number | null, then: number) => ({
  id: '',
  at: '',
  version: 1,
  losses: { none, rag: 0, initial: 0, then },
})

test('scores add up over time, over the questions that every way has answered', () => {
  const episodes = [episode(1, 0), episode(null, 1), episode(0, 1)] as Scorecard['episodes']
  expect(runningScores(episodes, 'none')).toEqual([0, 0.5])
  expect(runningScores(episodes, 'then')).toEqual([1, 0.5])
})
