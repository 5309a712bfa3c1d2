"""The text of an answer while it is written: as it is in a pipe, drawn from Markdown on a terminal."""

import sys
import time
from typing import TYPE_CHECKING, Protocol

from personaagent.cli.output import console, printable

if TYPE_CHECKING:
    from personaagent.cli.markdown_units import Unit

SECONDS_BETWEEN_DRAWINGS = 0.05
LONGEST_REST = 0.5
REST = 9
"""Drawing rests this many times as long as it took: the model may need the processor."""
TO_LINE_START = "\r\x1b[K"


class AnswerText(Protocol):
    """Takes the pieces of an answer as they arrive."""

    def write(self, piece: str) -> None:
        """Show this piece too."""

    def end(self) -> None:
        """Show all that was written, and end its line; nothing if nothing was written."""


def open_answer() -> AnswerText:
    """What shows one answer on standard output."""
    return DrawnText() if console().is_terminal else RawText()


class RawText:
    """Every character as the model wrote it, except those that a terminal would obey."""

    def __init__(self) -> None:
        self._line_open = False

    def write(self, piece: str) -> None:
        """Show this piece too."""
        _show(printable(piece))
        self._line_open = True

    def end(self) -> None:
        """End the line, if there is one."""
        if self._line_open:
            _show("\n")
        self._line_open = False


class DrawnText:
    """Markdown, drawn for this terminal. Rows that cannot change any more stay where they are.

    Only the last row is drawn again as the text goes on, so that nothing above it ever moves.
    """

    def __init__(self) -> None:
        self._source = ""  # of what is not yet shown for good
        self._rows_shown = 0  # of the first unit in it
        self._kind_shown = ""
        self._width = 0  # of the terminal when those rows were shown: it may change
        self._last_row = ""  # as it stands on the terminal, below those rows
        self._next_drawing = 0.0

    def write(self, piece: str) -> None:
        """Show this piece too, at once or with the next."""
        self._source += printable(piece)
        started = time.monotonic()
        if started >= self._next_drawing:
            self._draw()
            ended = time.monotonic()
            rest = max(SECONDS_BETWEEN_DRAWINGS, REST * (ended - started))
            self._next_drawing = ended + min(rest, LONGEST_REST)

    def end(self) -> None:
        """Show all that was written, and end its line."""
        self._draw(ended=True)
        self._source = ""

    def _draw(self, *, ended: bool = False) -> None:
        from personaagent.cli.markdown_units import finished, split

        units = split(self._source)
        done = len(units) if ended else finished(self._source, units)
        for number, unit in enumerate(units[:done]):
            self._show_rows(unit, self._rows(unit))
            self._show_last_row("")  # what looked like a row may have been the end of a code block
            following = units[number + 1 : number + 2]
            self._rows_shown = 0
            if following and following[0].apart:
                _show("\n")
        if done:
            self._source = "\n".join(unit.source for unit in units[done:])
        if units[done:]:
            self._draw_unfinished(units[done:])

    def _draw_unfinished(self, units: "list[Unit]") -> None:
        from personaagent.cli.markdown_units import settled

        drawn = self._rows(units[0])
        if len(units) == 1:
            self._show_rows(units[0], drawn[: settled(units[0], drawn)])
        if not console().is_dumb_terminal:
            self._show_last_row(drawn[-1])

    def _rows(self, unit: "Unit") -> list[str]:
        from personaagent.cli.markdown_units import rows

        if not self._rows_shown:
            self._width = console().width
        return rows(unit, console(), self._width)

    def _show_rows(self, unit: "Unit", drawn: list[str]) -> None:
        """Show those of the unit's rows that are not there yet, for good."""
        if drawn and unit.kind != self._kind_shown:  # a long first row was the head of a table
            self._rows_shown, self._kind_shown = 0, unit.kind
        for row in drawn[self._rows_shown :]:
            self._show_last_row(row)
            _show("\n")
            self._last_row = ""
        self._rows_shown = max(self._rows_shown, len(drawn))

    def _show_last_row(self, row: str) -> None:
        """Draw the row over the last one; only what is new of it, if it begins like that."""
        if not row and not self._last_row:
            return
        begins_alike = row.startswith(self._last_row)
        _show(row[len(self._last_row) :] if begins_alike else f"{TO_LINE_START}{row}")
        self._last_row = row


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
