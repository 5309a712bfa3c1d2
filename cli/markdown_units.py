"""The Markdown of an answer in units that are drawn one by one: paragraphs, list items, code, tables.

Nothing of the text is lost: HTML and link definitions are shown as they stand, the address of a
link stands behind its text, and each line break of the answer stays one.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.syntax import Syntax
from rich.theme import Theme

from personaagent.cli.output import COLOURS, drawn

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

PROSE, CODE = "paragraph_open", "fence"
LISTS = ("bullet_list_open", "ordered_list_open")
MARKUP = re.compile(r"[*_`~\[\]<&\\!|]")
"""What may yet turn out to be markup, so that the text around it moves."""


@dataclass(frozen=True)
class Unit:
    """A part of the source that is drawn by itself.

    ``kind`` is the type of its first token; ``apart``: whether a blank line stands before it.
    """

    kind: str
    source: str
    apart: bool


def split(source: str) -> list[Unit]:
    """The units of ``source`` in order."""
    lines = source.split("\n")
    starts: list[tuple[int, str]] = []
    inside = ""
    for token in _parser().parse(source):
        if token.level == 0:
            inside = token.type
        is_item = token.level == 1 and token.type == "list_item_open" and inside in LISTS
        is_block = token.level == 0 and token.nesting >= 0 and token.type not in LISTS
        if token.map and (is_item or is_block):
            starts.append((token.map[0], token.type))
    ends = [start for start, _ in starts[1:]] + [len(lines)] * bool(starts)
    units: list[Unit] = []
    for number, ((start, kind), end) in enumerate(zip(starts, ends, strict=True)):
        first = start if number else 0
        apart = number > 0 and not lines[start - 1].strip()
        units.append(Unit(kind, "\n".join(lines[first:end]), apart))
    return units


def finished(source: str, units: list[Unit]) -> int:
    """How many of the ``units`` of ``source`` cannot change any more, whatever text comes next.

    The last unit of whole lines can. A line that has only begun may belong to it too, unless a
    blank line keeps them apart.
    """
    of_lines = len(split(source[: source.rfind("\n") + 1]))
    begun = units[of_lines:]
    if of_lines and len(begun) == 1 and begun[0].apart and not begun[0].source[:1].isspace():
        return of_lines
    return max(0, of_lines - 1)


def rows(unit: Unit, console: Console, width: int) -> list[str]:
    """The unit as it looks on a console of that width, row by row, with its colours."""
    with console.use_theme(Theme({"markdown.code": "cyan"})):
        lines = drawn(_AnswerMarkdown(unit.source.strip("\n")), console, width)
    filled = [number for number, line in enumerate(lines) if line]
    return lines[filled[0] : filled[-1] + 1] if filled else [""]


def settled(unit: Unit, shown: list[str]) -> int:
    """How many of the rows of a last unit cannot change any more, whatever text comes next."""
    if unit.kind == CODE:  # blank lines at its end are not shown
        return max((number for number, row in enumerate(shown[:-1], 1) if row), default=0)
    if unit.kind != PROSE or "|" in unit.source.rpartition("\n")[2]:  # the head of a table, perhaps
        return 0
    open_rows = [n for n, row in enumerate(shown) if MARKUP.search(COLOURS.sub("", row))]
    return max(0, min([len(shown) - 1, *(n - 1 for n in open_rows)]))


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt().enable(["strikethrough", "table"])
    return parser.disable(["html_block", "html_inline", "reference", "lheading", "image"])


class _LeftHeading(Heading):
    """A heading on the left, without a frame."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text.copy()
        text.stylize("bold")
        yield text


class _PlainCode(CodeBlock):
    """Code without a margin, so that it can be copied."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        yield Syntax(
            code, self.lexer_name, theme="ansi_dark", word_wrap=True, background_color="default"
        )


class _AnswerMarkdown(Markdown):
    """Markdown of our parser: each line break counts, and the addresses of links are shown."""

    elements = Markdown.elements | {
        "heading_open": _LeftHeading,
        "fence": _PlainCode,
        "code_block": _PlainCode,
    }

    def __init__(self, source: str) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = _parser().parse(source)
        for token in self.parsed:
            for child in token.children or []:
                if child.type == "softbreak":
                    child.type = "hardbreak"
