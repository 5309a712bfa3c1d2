import { expect, test } from 'vitest'

import { readEvents } from './runs'

function streamOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
}

test('events are whole wherever the network cuts them, also within a letter', async () => {
  const bytes = new TextEncoder().encode('event: messages\r\ndata: ["Grüße"]\r\n\r\n: heartbeat\n\nevent: end\ndata: null\n\n')
  for (let cut = 1; cut < bytes.length; cut++) {
    const events: unknown[] = []
    await readEvents(streamOf(bytes.slice(0, cut), bytes.slice(cut)), (event, data) => events.push([event, data]))
    expect(events).toEqual([
      ['messages', ['Grüße']],
      ['end', null],
    ])
  }
})
