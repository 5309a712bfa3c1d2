import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, expect, test, vi } from 'vitest'

import { ChatView } from './chat-view'
import { say, spoken } from './conversation'

Element.prototype.scrollIntoView = () => undefined // which jsdom has not

afterEach(() => {
  render(null, document.body)
  vi.unstubAllGlobals()
})

test('what is asked as soon as the view is there stays', async () => {
  vi.stubGlobal('fetch', () => new Promise(() => undefined))
  await act(() => {
    render(<ChatView />, document.body)
    void say('Hello.')
  })
  expect(spoken.value.map((each) => each.content)).toEqual(['Hello.'])
})
