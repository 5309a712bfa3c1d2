"""Runs a plan in several processes: one cannot ask 64 questions at once as fast as an endpoint answers.

This process hands out samples by number and writes what the workers (``worker.py``) pass on, each
result at once. A worker that is killed is replaced: nothing is lost but the answers under way.
"""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from personaagent.core.errors import ServiceError, error_named
from personaagent.core.settings import Settings
from personaagent.eval.executor import OnResult, Records, run_concurrently, run_files
from personaagent.eval.results import Result, ResultKey, TrainingRecord
from personaagent.eval.run_plan import RunPlan, RunProgress
from personaagent.eval.run_record import EvalOptions

ASKS, RESULT, TRAINING, ERROR = b"A", b"R", b"T", b"E"
"""What a line of a worker begins with; it is followed by JSON."""
NO_MORE = -1
LONGEST_LINE = 1 << 28
MOST_DEATHS = 3
"""So often in a row a worker may end without a result."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to make the plan again, and the results that are not to be made again."""

    options: EvalOptions
    settings: Settings
    data: Path
    done: frozenset[ResultKey]


async def execute_in_processes(
    plan: RunPlan,
    job: Job,
    folder: Path,
    progress: RunProgress,
    *,
    workers: int,
    on_result: OnResult = lambda result: None,
) -> None:
    """Run what is left of the plan: the same results as of ``execute_plan``.

    Raises:
        ConfigurationError, UsageError: as of ``execute_plan``.
        DataError: the files in ``folder`` cannot be written.
        ServiceError: a worker ends again and again.
    """
    concurrency = job.settings.concurrency or 1
    shares = [(concurrency + number) // workers for number in range(workers)]
    with run_files(folder) as (results, training_records):
        run = _Run(job, iter(range(plan.sample_count())), results, training_records, progress)
        await run_concurrently(run.work(share, on_result) for share in shares if share)


class _Run:
    """What the workers of a run share: the samples that nobody has yet, and the results."""

    def __init__(
        self,
        job: Job,
        numbers: Iterator[int],
        results: Records,
        training_records: Records,
        progress: RunProgress,
    ) -> None:
        self._job = job
        self._done = set(job.done)
        self._numbers = numbers
        self._results = results
        self._training_records = training_records
        self._progress = progress

    async def work(self, concurrency: int, on_result: OnResult) -> None:
        """Have a worker run samples until none is left; another takes over where it ends before."""
        settings = self._job.settings.model_copy(update={"concurrency": concurrency})
        again: list[int] = []
        deaths = 0
        while deaths < MOST_DEATHS:
            worker = await _start(replace(self._job, settings=settings, done=frozenset(self._done)))
            share = _Share(again)
            try:
                await self._serve(worker, share, on_result)
                if await worker.wait() == 0:
                    return
            finally:
                await _end(worker)
            again = share.handed_out
            deaths = 1 if share.results else deaths + 1
        raise ServiceError(
            "A process of the evaluation ended again and again: finished results are kept; try again "
            "with --workers 1."
        )

    async def _serve(self, worker: Process, share: "_Share", on_result: OnResult) -> None:
        """Hand out samples, those of ``share`` at first, until the worker ends."""
        assert worker.stdout is not None
        first = iter([*share.handed_out])
        async for line in worker.stdout:
            kind, content = line[:1], line[1:]
            if kind == ASKS:
                number = next(first, NO_MORE)
                if number == NO_MORE and (number := next(self._numbers, NO_MORE)) != NO_MORE:
                    share.handed_out.append(number)
                _tell(worker, b"%d\n" % number)
            elif line.endswith(b"\n"):  # else the worker was killed while it wrote
                self._take(kind, content, on_result)
                share.results += kind == RESULT

    def _take(self, kind: bytes, content: bytes, on_result: OnResult) -> None:
        if kind == ERROR:
            name, _, text = content.decode().strip().partition(" ")
            raise error_named(name, text)
        if kind == TRAINING:
            self._training_records.append(TrainingRecord.model_validate_json(content))
        elif kind == RESULT:
            result = Result.model_validate_json(content)
            self._results.append(result)
            self._done.add(result.key)
            self._progress.add(result)
            on_result(result)


@dataclass
class _Share:
    """The samples that one worker was handed, by number, and how many results it has passed on."""

    handed_out: list[int]
    results: int = 0


async def _start(job: Job) -> Process:
    """A worker in a session of its own: Ctrl-C ends this process, and the worker notices."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "personaagent.eval.worker",
        stdin=PIPE,
        stdout=PIPE,
        limit=LONGEST_LINE,
        start_new_session=True,
    )
    _tell(worker, pickle.dumps(job))
    return worker


def _tell(worker: Process, data: bytes) -> None:
    """Write to the worker, unless it has ended: then its output ends too."""
    assert worker.stdin is not None
    if not worker.stdin.is_closing():
        worker.stdin.write(data)


async def _end(worker: Process) -> None:
    if worker.returncode is None:
        worker.kill()
        await asyncio.shield(worker.wait())
