"""Tables of the evaluation that fit the terminal: what does not fit beside the names goes below."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

from personaagent.eval.number_format import UNKNOWN

PLAIN_WIDTH = 80
"""The width of a table that is not shown on a terminal."""
GAP = 2
Columns = Mapping[str, Sequence[str]]
"""Cells by the header of their column, one for each row."""


@dataclass(frozen=True)
class NamedRows:
    """Rows with a name each. Columns without any content are left out.

    Where the columns are too wide together, they stand in several blocks, the names in each.
    """

    corner: str
    names: Sequence[str]
    columns: Columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width if console.is_terminal else PLAIN_WIDTH
        for number, block in enumerate(self._blocks(width)):
            if number:
                yield ""
            yield self._table(block)

    def _blocks(self, width: int) -> Iterator[list[str]]:
        """The headers of each block: as many columns as fit, and at least one."""
        names_width = _width(self.corner, self.names) + GAP
        block: list[str] = []
        left = width - names_width
        for header, cells in self.columns.items():
            if not _has_content(cells):
                continue
            needed = _width(header, cells) + GAP
            if block and needed > left:
                yield block
                block, left = [], width - names_width
            block.append(header)
            left -= needed
        yield block

    def _table(self, headers: Sequence[str]) -> Table:
        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
        table.add_column(self.corner, overflow="fold")
        for header in headers:
            table.add_column(header, justify="right", overflow="fold")
        for row, name in enumerate(self.names):
            table.add_row(name, *(self.columns[header][row] for header in headers))
        return table


def _has_content(cells: Sequence[str]) -> bool:
    return any(cell not in ("", UNKNOWN) for cell in cells)


def _width(header: str, cells: Sequence[str]) -> int:
    return max(map(cell_len, (header, *cells)))
