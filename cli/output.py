"""What the command prints: data on standard output, everything else on standard error."""

import re
import signal
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from personaagent.cli.keyboard import typed_ahead
from personaagent.cli.streams import shows_unicode
from personaagent.core.text import shorten

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

T = TypeVar("T")
Advance = Callable[[float, float | None], None]
"""Takes how much is done and the total (None: not known), in the same unit."""

SECONDS_BETWEEN_LINES = 10.0
UNLIMITED_WIDTH = 10_000
ONE_LINE_CHARS = 160
ESCAPE, COLOUR_END = "\x1b", "\x1b[0m"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FILLING = re.compile(rf"(?:{COLOURS.pattern}|[ \t])+$")


@cache
def console(*, stderr: bool = False) -> "Console":
    """The console on standard output or standard error; colours and line breaks on a terminal only,
    whatever FORCE_COLOR says."""
    from rich.console import Console

    terminal = None if (sys.stderr if stderr else sys.stdout).isatty() else False
    console = Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, force_terminal=terminal
    )
    if not console.is_terminal:
        console.width = UNLIMITED_WIDTH
    return console


def print_result(data: T, as_json: bool, render: Callable[[T], "RenderableType"]) -> None:
    """Print ``data``: as one JSON document, or as ``render`` draws it for people."""
    if as_json:
        from pydantic_core import to_json

        ascii_only = not shows_unicode(sys.stdout)
        print(to_json(data, indent=2, ensure_ascii=ascii_only).decode(), flush=True)  # noqa: T201
    else:
        print_view(render(data))


def print_view(view: "RenderableType", *, stderr: bool = False) -> None:
    """Print ``view`` on standard output or error, without the spaces that fill its lines."""
    file = sys.stderr if stderr else sys.stdout
    print("\n".join(drawn(view, console(stderr=stderr))), file=file, flush=True)


def drawn(view: "RenderableType", on: "Console", width: int | None = None) -> list[str]:
    """The lines of ``view`` as that console shows it, without the spaces that fill them.

    ``width``: as if the console were so wide.
    """
    with on.capture() as captured:
        on.print(view, width=width)
    return [_unfilled(line) for line in captured.get().removesuffix("\n").split("\n")]


def _unfilled(line: str) -> str:
    """``line`` without the blanks at its end; a colour that it begins still ends with it."""
    kept = FILLING.sub("", line)
    if ESCAPE not in kept:
        return kept
    return f"{kept}{COLOUR_END}" if COLOURS.sub("", kept) else ""


def print_notice(text: str) -> None:
    """Print one dim line on standard error."""
    _print_words(text, "dim")


def print_warning(text: str) -> None:
    """Print one warning on standard error."""
    _print_words(f"Warning: {text}", "yellow")


def print_error(sentence: str) -> None:
    """Print one line of error on standard error."""
    _print_words(" ".join(f"Error: {sentence}".split()), "red")


def _print_words(text: str, style: str) -> None:
    """Print ``text`` on standard error; the edge of a terminal does not break words or paths."""
    out, text = console(stderr=True), printable(text)
    if out.is_terminal:
        text = "\n".join(_broken(line, out.width) for line in text.split("\n"))
    out.print(text, style=style, soft_wrap=True)


def _broken(line: str, width: int) -> str:
    from textwrap import fill

    return fill(line, width, break_long_words=False, break_on_hyphens=False)


def confirm(question: str) -> bool | None:
    """Ask the user on standard error; return whether they say yes, or None if input has ended.

    Ctrl-C ends the question. An event loop that is running would only cancel its task, and that
    waits for the answer.
    """
    loops_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        console(stderr=True).print(f"{question} [y/N] ", end="", soft_wrap=True)
        answer = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, loops_handler)
    return answer.strip().lower() in ("y", "yes") if answer else None


def printable(text: str) -> str:
    """``text`` without the control characters that a terminal would obey; lines and tabs stay."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def one_line(text: str) -> str:
    """``text`` in one line of at most 160 characters."""
    return shorten(" ".join(printable(text).split()), ONE_LINE_CHARS)


class Waiting:
    """What the command does now and for how long it has, beside a spinner on standard error.

    It is a context manager, and shows nothing off a terminal.
    """

    def __init__(self, text: str) -> None:
        self._text, self._started = text, time.monotonic()
        frames = "dots" if shows_unicode(sys.stderr) else "line"
        self._status = console(stderr=True).status(self, spinner=frames)
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        if console(stderr=True).is_terminal:
            self._ending.enter_context(typed_ahead())
            self._ending.enter_context(self._status)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __rich__(self) -> "Text":
        from rich.text import Text

        seconds = int(time.monotonic() - self._started)
        return Text(f"{self._text} {duration(seconds)}" if seconds else self._text)

    def update(self, text: str) -> None:
        """Say that it does something else now."""
        self._text = text

    def stop(self) -> None:
        """Take the spinner away, so that something else can use the terminal."""
        self._ending.close()


def duration(seconds: int) -> str:
    """A time to wait, such as ``5 s`` or ``2 min 05 s``."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


@contextmanager
def spinner(text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner and the seconds on standard error while the block runs, on a terminal only;
    yields a function that changes its text."""
    with Waiting(text) as waiting:
        yield waiting.update


@contextmanager
def progress_bar(text: str, *, bytes_: bool = False) -> Iterator[Advance]:
    """Show a progress bar on standard error while the block runs; off a terminal, a line at times."""
    if not console(stderr=True).is_terminal:
        yield _line_progress(text, bytes_)
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amount = [DownloadColumn(), TransferSpeedColumn()] if bytes_ else [MofNCompleteColumn()]
    times = (TimeElapsedColumn(), TimeRemainingColumn(compact=True))
    columns = (TextColumn("{task.description}"), BarColumn(), *amount, *times)
    with typed_ahead(), Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _line_progress(text: str, bytes_: bool) -> Advance:
    last_line = time.monotonic()

    def advance(done: float, total: float | None) -> None:
        nonlocal last_line
        if time.monotonic() - last_line < SECONDS_BETWEEN_LINES:
            return
        last_line = time.monotonic()
        amounts = [f"{n / 1e6:,.0f} MB" if bytes_ else f"{n:,.0f}" for n in (done, total) if n]
        print_notice(f"{text}: {' of '.join(amounts)}")

    return advance
