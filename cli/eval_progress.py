"""How a run of the evaluation gets on: a bar on a terminal, else a line now and then."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from personaagent.cli.output import SECONDS_BETWEEN_LINES, console, notice

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from personaagent.eval.plan import Progress
    from personaagent.eval.results import Result


class EvalProgress:
    """Told of every sample: how many are done, how fast, how many failed, how long it will take."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._progress: Progress | None = None
        self._folder: Path | None = None
        self._began = self._told = time.monotonic()
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
            notice(
                f"{self._progress.done:,} of {self._progress.total:,} samples are kept in "
                f"{self._folder}; the same command goes on from there."
            )

    def begin(self, folder: "Path", progress: "Progress") -> None:
        """A run begins, with what was done of it before."""
        self._folder, self._progress, self._done_before = folder, progress, progress.done
        self._began = time.monotonic()
        done = f", {self._done_before:,} of them done before" if self._done_before else ""
        notice(f"{progress.total:,} samples{done}; they are kept in {folder}.")
        if console(stderr=True).is_terminal and self._bar is None:
            self._bar = _bar()
            self._bar.start()
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(
                "", total=progress.total, completed=self._done_before, rate="", errors=""
            )

    def done(self, sample: "Result") -> None:
        """A sample is done."""
        assert self._progress is not None
        done, failed = self._progress.done, self._progress.failed
        rate = f"{self._rate(done):,.2g} a second"
        errors = f"{failed:,} failed" if failed else ""
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task,
                description=f"{sample.task} {sample.method}",
                completed=done,
                rate=rate,
                errors=errors,
            )
        elif time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            left = self._progress.left / self._rate(done)
            parts = [f"{done:,} of {self._progress.total:,}", rate, errors, f"{_time(left)} left"]
            notice(", ".join(part for part in parts if part))

    def _rate(self, done: int) -> float:
        return max(done - self._done_before, 1) / max(time.monotonic() - self._began, 1e-3)


def _bar() -> "Bar":
    from rich import progress as bars

    return bars.Progress(
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[rate]}"),
        bars.TextColumn("{task.fields[errors]}", style="red"),
        bars.TimeRemainingColumn(compact=True),
        console=console(stderr=True),
    )


def _time(seconds: float) -> str:
    """About so long, in its largest unit."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
