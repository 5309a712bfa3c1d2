"""What the command prints: data on standard output, everything else on standard error."""

import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Advance = Callable[[float, float | None], None]
"""Called with what is done and what there is in all (None: not known), in the same unit."""

SECONDS_BETWEEN_LINES = 10.0
UNBROKEN = 10_000


@cache
def console(*, stderr: bool = False) -> "Console":
    """The console on standard output or standard error; colours and line breaks on a terminal only."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = UNBROKEN
    return console


def show(data: T, as_json: bool, render: Callable[[T], "RenderableType"]) -> None:
    """Print ``data``: as one JSON document, or as ``render`` draws it for people."""
    if as_json:
        from pydantic_core import to_json

        print(to_json(data, indent=2).decode(), flush=True)  # noqa: T201
    else:
        console().print(render(data))


def notice(text: str) -> None:
    """One dim line on standard error."""
    console(stderr=True).print(printable(text), style="dim", soft_wrap=True)


def warn(text: str) -> None:
    """One warning on standard error."""
    console(stderr=True).print(printable(f"Warning: {text}"), style="yellow", soft_wrap=True)


def agreed(question: str) -> bool | None:
    """Whether the user says yes to the question, put on standard error; None: there is no answer."""
    console(stderr=True).print(f"{question} [y/N] ", end="", soft_wrap=True)
    answer = sys.stdin.readline()
    return answer.strip().lower() in ("y", "yes") if answer else None


def complain(sentence: str) -> None:
    """One line of error on standard error."""
    line = " ".join(printable(f"Error: {sentence}").split())
    console(stderr=True).print(line, style="red", soft_wrap=True)


def printable(text: str) -> str:
    """``text`` without the control characters that a terminal would obey; lines and tabs stay."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner on standard error while the block runs, on a terminal only."""
    with console(stderr=True).status(text):
        yield


@contextmanager
def progress(text: str, *, bytes_: bool = False) -> Iterator[Advance]:
    """A progress bar on standard error while the block runs; lines now and then off a terminal."""
    if not console(stderr=True).is_terminal:
        yield _lines(text, bytes_)
        return
    from rich import progress as bars

    counted = (
        [bars.DownloadColumn(), bars.TransferSpeedColumn()]
        if bytes_
        else [bars.MofNCompleteColumn()]
    )
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), *counted)
    with bars.Progress(
        *columns, bars.TimeRemainingColumn(compact=True), console=console(stderr=True)
    ) as shown:
        task = shown.add_task(text, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _lines(text: str, bytes_: bool) -> Advance:
    last = time.monotonic()

    def advance(done: float, total: float | None) -> None:
        nonlocal last
        if time.monotonic() - last < SECONDS_BETWEEN_LINES:
            return
        last = time.monotonic()
        shown = [f"{n / 1e6:,.0f} MB" if bytes_ else f"{n:,.0f}" for n in (done, total) if n]
        notice(f"{text}: {' of '.join(shown)}")

    return advance
