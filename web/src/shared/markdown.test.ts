import { expect, test } from 'vitest'

import { markdown } from './markdown'

function html(text: string): string {
  const place = document.createElement('div')
  place.append(markdown(text))
  return place.innerHTML
}

test('Markdown becomes HTML', () => {
  expect(html('**bold** and `code`')).toContain('<strong>bold</strong> and <code>code</code>')
})

test.each([
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '<svg onload=alert(1)>',
  '[click](javascript:alert(1))',
  '[click](data:text/html;base64,PHNjcmlwdD4=)',
  '![x](http://192.0.2.1/x.png)',
  '<a href="x" style="position:fixed">x</a>',
  '<form action="http://192.0.2.1"><input></form>',
  '`<img src=x onerror=alert(1)>`',
  '[<img src=x onerror=alert(1)>](http://192.0.2.1)',
])('%s does no harm', (attack) => {
  const place = document.createElement('div')
  place.append(markdown(attack))
  expect(place.querySelectorAll('img, script, svg, form, input, [style], [onerror], [onload]')).toHaveLength(0)
  for (const link of place.querySelectorAll('a')) expect(link.getAttribute('href') ?? '').not.toMatch(/script|data:/)
})

test('a link opens beside the page, which it is told nothing of', () => {
  expect(html('[there](https://example.org)')).toMatch(/target="_blank".*rel="noopener noreferrer nofollow"/)
})
