/** Text of a model or a person as HTML that can do no harm: it may come from anywhere. */
import DOMPurify from 'dompurify'
import { Marked } from 'marked'

const ALLOWED = [
  'a', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol',
  'p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
]

const SAFE = /^(?:https?|mailto):/i

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escape(text), // HTML is shown, not obeyed
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens)
      return SAFE.test(href) ? `<a href="${escape(href)}">${text}</a>` : text
    },
    image: ({ text, href }) => escape(text || href), // a picture would tell its host who reads
  },
})

/** The nodes that Markdown stands for. */
export function markdown(text: string): DocumentFragment {
  const nodes = DOMPurify.sanitize(marked.parse(text, { async: false }), {
    ALLOWED_TAGS: ALLOWED,
    ALLOWED_ATTR: ['href', 'start'],
    ALLOWED_URI_REGEXP: SAFE,
    RETURN_DOM_FRAGMENT: true,
  })
  for (const link of nodes.querySelectorAll('a')) {
    link.target = '_blank'
    link.rel = 'noopener noreferrer nofollow'
  }
  return nodes
}

/** The same nodes, with bold lines in place of headings. */
export function withoutHeadings(nodes: DocumentFragment): DocumentFragment {
  for (const heading of nodes.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    const line = document.createElement('p')
    line.append(document.createElement('strong'))
    line.firstElementChild!.append(...heading.childNodes)
    heading.replaceWith(line)
  }
  return nodes
}
