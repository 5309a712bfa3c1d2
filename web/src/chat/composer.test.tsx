import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, expect, test } from 'vitest'

import { Composer } from './composer'
import { thread } from './conversation'

afterEach(() => {
  render(null, document.body)
  thread.value = ''
})

const field = (kind: string) => document.querySelector<HTMLElement>(kind)!

async function show(id: string): Promise<void> {
  await act(() => void (thread.value = id))
}

test('another conversation brings the focus, but never takes it from a field in which somebody writes', async () => {
  await act(() => render(<><input type="search" /><button /><Composer /></>, document.body))
  expect(document.activeElement).toBe(field('textarea'))
  field('button').focus()
  await show('one')
  expect(document.activeElement).toBe(field('textarea'))
  field('input').focus()
  await show('other')
  expect(document.activeElement).toBe(field('input'))
})
