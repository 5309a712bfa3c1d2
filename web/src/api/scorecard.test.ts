import { expect, test } from 'vitest'

import { readLines } from './scorecard'

test('lines are whole wherever the network cuts them, the last one too', async () => {
  const bytes = new TextEncoder().encode('{"a": "ä"}\n\n{"b": 2}')
  for (let cut = 1; cut < bytes.length; cut++) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.slice(0, cut))
        controller.enqueue(bytes.slice(cut))
        controller.close()
      },
    })
    const lines: unknown[] = []
    await readLines(body, (line) => lines.push(JSON.parse(line)))
    expect(lines).toEqual([{ a: 'ä' }, { b: 2 }])
  }
})
