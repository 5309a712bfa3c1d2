import { useLayoutEffect, useRef } from 'preact/hooks'

import { markdown } from './markdown'

/** A text in Markdown. */
export function MarkdownText({ text }: { text: string }) {
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => place.current?.replaceChildren(markdown(text)), [text])
  return <div class="markdown" ref={place} />
}
