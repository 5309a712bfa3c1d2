"""Shows how far an evaluation run is: a bar on a terminal, otherwise a line now and then."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from personaagent.cli.output import SECONDS_BETWEEN_LINES, console, print_notice
from personaagent.eval.number_format import format_count

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from personaagent.eval.results import Result
    from personaagent.eval.run_plan import RunProgress


class EvalProgress:
    """Receives every result; shows the number of results, their rate, failures and time left."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._bar_task: TaskID | None = None
        self._progress: RunProgress | None = None
        self._folder: Path | None = None
        self._started = self._last_line = time.monotonic()
        self._done_before = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if kind is not None and self._progress is not None:
            print_notice(
                f"{self._progress.done:,} of {self._progress.total:,} results are kept in "
                f"{self._folder}; the same command continues from there."
            )

    def begin(self, folder: "Path", progress: "RunProgress") -> None:
        """Start a run that already has some results."""
        self._folder, self._progress, self._done_before = folder, progress, progress.done
        self._started = time.monotonic()
        earlier = f", {self._done_before:,} of them from before" if self._done_before else ""
        are = "it is" if progress.total == 1 else "they are"
        results = format_count(progress.total, "result")
        print_notice(f"{results}{earlier}; {are} kept in {folder}.")
        if console(stderr=True).is_terminal and self._bar is None:
            self._bar = _make_bar()
            self._bar.start()
        if self._bar is not None:
            if self._bar_task is not None:
                self._bar.remove_task(self._bar_task)
            self._bar_task = self._bar.add_task(
                "", total=progress.total, completed=self._done_before, rate="", errors=""
            )

    def add(self, result: "Result") -> None:
        """Show a new result."""
        assert self._progress is not None
        done, failed = self._progress.done, self._progress.failed
        rate = f"{self._rate(done):,.2g} a second"
        errors = f"{failed:,} failed" if failed else ""
        if self._bar is not None and self._bar_task is not None:
            self._bar.update(
                self._bar_task,
                description=f"{result.task} {result.method}",
                completed=done,
                rate=rate,
                errors=errors,
            )
        elif time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            seconds_left = self._progress.left / self._rate(done)
            count, left = f"{done:,} of {self._progress.total:,}", f"{_time(seconds_left)} left"
            print_notice(", ".join(filter(None, (count, rate, errors, left))))

    def _rate(self, done: int) -> float:
        return max(done - self._done_before, 1) / max(time.monotonic() - self._started, 1e-3)


def _make_bar() -> "RichProgress":
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TextColumn("{task.fields[errors]}", style="red"),
        progress.TimeRemainingColumn(compact=True),
        console=console(stderr=True),
    )


def _time(seconds: float) -> str:
    """An approximate duration in its largest unit."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
