"""``MyActivity.html`` of Google Takeout, read into records as ``MyActivity.json`` has them.

Each record is a cell: a header with the product, then a body of the verb and the prompt, attached
files, the time in the words of the user's language, and the answer; then a caption with links.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from personaagent.memory.exchange.gemini import NAMES, Gemini
from personaagent.memory.exchange.json_values import Json
from personaagent.memory.exchange.messages import Conversation
from personaagent.memory.exchange.takeout_dates import is_date, read_date

if TYPE_CHECKING:
    from bs4.element import PageElement

CELL = '<div class="outer-cell'
CHUNK_CHARS = 1 << 20
_ANSWERS = {"p", "ul", "ol", "pre", "table", "div", "blockquote", "hr"}
_ANSWERS |= {f"h{level}" for level in range(1, 7)}
_HEADER = re.compile(r'<div class="header-cell[^>]*>(.*?)</div>', re.DOTALL)
_GEMS = "https://gemini.google.com/gem"


class GeminiPage:
    """``MyActivity.html``, in any language; records of other products are passed over."""

    source = Gemini.source
    program = Gemini.program

    def recognises(self, head: str) -> bool:
        """Whether a cell of activity begins in it, or the style of such pages, which is long."""
        return CELL in head or "material-design-lite" in head

    def conversations(self, page: TextIO) -> Iterator[Conversation | str]:
        """Each prompt with its answer, or why a record is left out; one at a time in memory."""
        for cell in _cells(page):
            if _is_of_another_product(cell):
                continue
            try:
                yield Gemini().conversation(_record(cell))
            except ValueError as error:
                yield str(error)


def _is_of_another_product(cell: str) -> bool:
    """Whether its header says so."""
    header = _HEADER.search(cell)
    return header is not None and not NAMES.search(header[1])


def _cells(page: TextIO) -> Iterator[str]:
    """The HTML of each cell; what stands before the first one is left out."""
    rest = ""
    begun = False
    while chunk := page.read(CHUNK_CHARS):
        before, *cells = (rest + chunk).split(CELL)
        if cells and begun:
            yield before
        yield from (CELL + cell for cell in cells[:-1])
        begun = begun or bool(cells)
        rest = CELL + cells[-1] if cells else before if begun else before[-len(CELL) :]
    if begun:
        yield rest


def _record(html: str) -> Json:
    from bs4 import BeautifulSoup

    cell = BeautifulSoup(html, "html.parser")
    header = cell.find(class_="header-cell")
    bodies = cell.select(".content-cell.mdl-typography--body-1:not(.mdl-typography--text-right)")
    body = bodies[0] if bodies else cell.find(class_="content-cell")
    nodes = list(body.children) if body else []
    at = _date_position(nodes)
    before, after = (nodes, []) if at is None else (nodes[:at], nodes[at + 1 :])
    title, subtitles = _title(before)
    answer = "".join(map(str, after)).strip()
    captions = cell.select(".mdl-typography--caption")
    links = cell.select(".mdl-typography--caption a[href]")
    return {
        "header": header.get_text(" ", strip=True) if header else "",
        "title": title,
        "time": None if at is None else read_date(str(nodes[at])),
        "products": [caption.get_text(" ", strip=True) for caption in captions],
        "subtitles": [*subtitles, *(str(link["href"]) for link in links)],
        "safeHtmlItem": [{"html": answer}] if answer else [],
    }


def _date_position(nodes: Sequence["PageElement"]) -> int | None:
    """Where the time stands: the last one before the answer begins."""
    position = None
    for number, node in enumerate(nodes):
        name = getattr(node, "name", None)
        if name in _ANSWERS:
            break
        if name is None and is_date(str(node)):
            position = number
    return position


def _title(nodes: Sequence["PageElement"]) -> tuple[str, list[str]]:
    """The verb with the prompt; and the lines below it that name attached files and gems."""
    lines: list[list[PageElement]] = [[]]
    for node in nodes:
        if getattr(node, "name", None) == "br":
            lines.append([])
        else:
            lines[-1].append(node)
    title = [line for line in lines if _text(line).strip()]
    below: list[str] = []
    while len(title) > 1 and _names_attachment(title[-1]):
        below.insert(0, _text(title.pop()).strip())
    if any(line.startswith("-") for line in below) and len(title) > 1:
        below.insert(0, _text(title.pop()).strip())  # "Attached 2 files.", in the user's language
    return "\n".join(map(_text, title)).strip(), below


def _names_attachment(line: Sequence["PageElement"]) -> bool:
    from bs4.element import Tag

    links = [str(node.get("href")) for node in line if isinstance(node, Tag) and node.name == "a"]
    return bool(links) and (
        _text(line).lstrip().startswith("-") or any(link.startswith(_GEMS) for link in links)
    )


def _text(line: Sequence["PageElement"]) -> str:
    return "".join(node.get_text() for node in line)
