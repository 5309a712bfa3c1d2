"""Lists and tables that fit their terminal, and have no filling in a pipe."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

ANY_WIDTH = 10_000


def listing(items: Sequence[tuple[Text, Text]]) -> Table:
    """A short label and a text for each item; the texts begin below each other."""
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for label, text in items:
        table.add_row(label, text)
    return table


@dataclass(frozen=True)
class Figures:
    """A name and figures in each row; no figure is ever cut or broken.

    Where the table is wider than the terminal, each row becomes a list of its figures.
    ``headers`` has one for the names too.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table()
        width = console.measure(table, options=options.update_width(ANY_WIDTH)).maximum
        if width <= options.max_width:
            yield table
            return
        for name, *figures in self.rows:
            yield Text(name, "bold")
            yield self._listed(figures)

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for number, header in enumerate(self.headers):
            table.add_column(header, justify="right" if number else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return table

    def _listed(self, figures: Sequence[str]) -> Table:
        table = Table.grid(padding=(0, 2), pad_edge=True)
        table.add_column(style="dim")
        table.add_column(no_wrap=True)
        for name, figure in zip(self.headers[1:], figures, strict=True):
            if figure:
                table.add_row(name, figure)
        return table
