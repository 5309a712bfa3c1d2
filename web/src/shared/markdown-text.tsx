import { useLayoutEffect, useRef } from 'preact/hooks'

import { markdown, withoutHeadings } from './markdown'

interface Props {
  text: string
  /** Whether headings become bold lines: they would come between those of the page. */
  flat?: boolean
}

/** A text in Markdown. */
export function MarkdownText({ text, flat = false }: Props) {
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const nodes = markdown(text)
    place.current?.replaceChildren(flat ? withoutHeadings(nodes) : nodes)
  }, [text, flat])
  return <div class="markdown" ref={place} />
}
