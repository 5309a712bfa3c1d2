import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, expect, test, vi } from 'vitest'

import { EditRules } from './edit-rules'

const RULES = [
  { id: 'r1', text: 'Be brief.', evidence: [], locked: false },
  { id: 'r2', text: 'Be <b>loud</b>.', evidence: [], locked: false },
]

afterEach(() => render(null, document.body))

async function type(field: HTMLTextAreaElement, text: string): Promise<void> {
  await act(() => {
    field.value = text
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })
}

test('rules keep their id, one that is emptied goes, and a new one has none', async () => {
  const onSend = vi.fn()
  await act(() => render(<EditRules rules={RULES} onSend={onSend} onCancel={() => undefined} />, document.body))
  const fields = [...document.querySelectorAll('textarea')]
  expect(fields.map((field) => field.value)).toEqual(['Be brief.', 'Be <b>loud</b>.', ''])
  await type(fields[0]!, 'Be very brief.')
  await type(fields[1]!, ' ')
  await type(fields[2]!, 'Be kind.')
  await act(() => void document.querySelector('form')!.dispatchEvent(new Event('submit', { cancelable: true })))
  expect(onSend).toHaveBeenCalledWith([{ id: 'r1', text: 'Be very brief.' }, { text: 'Be kind.' }])
})
