"""A worker of ``processes.py``: runs the samples that it is handed, and passes on each result.

It reads a ``Job`` from standard input, then numbers of samples, and writes lines to standard output.
"""

import asyncio
import os
import pickle
import sys
from collections import deque
from collections.abc import Iterator
from typing import IO

from personaagent.core.errors import PersonaAgentError
from personaagent.core.records import Record
from personaagent.eval.evaluation import icl_examples, make_plan
from personaagent.eval.executor import Executor
from personaagent.eval.processes import ASKS, ERROR, NO_MORE, RESULT, TRAINING, Job
from personaagent.eval.run_plan import DrawnSample, RunPlan, WorkItem
from personaagent.eval.solvers.environment import open_environment


class _Line:
    """Records as lines of one kind."""

    def __init__(self, output: IO[bytes], kind: bytes) -> None:
        self._output = output
        self._kind = kind

    def append(self, record: Record) -> None:
        """Pass the record on."""
        self._output.write(self._kind + record.model_dump_json().encode() + b"\n")
        self._output.flush()


class _Items:
    """What this worker is handed, item by item: it asks for a sample when it has none left."""

    def __init__(self, plan: RunPlan, job: Job, output: IO[bytes]) -> None:
        self._plan = plan
        self._job = job
        self._output = output
        self._samples: Iterator[tuple[int, DrawnSample]] = enumerate(plan.samples())
        self._items: deque[WorkItem] = deque()
        self._asking = asyncio.Lock()
        self._ended = False
        self.numbers: asyncio.Queue[int] = asyncio.Queue()

    async def next(self) -> WorkItem | None:
        """The next item; None if there are no more."""
        async with self._asking:
            while not self._items and not self._ended:
                await self._ask()
            return self._items.popleft() if self._items else None

    async def _ask(self) -> None:
        self._output.write(ASKS + b"\n")
        self._output.flush()
        number = await self.numbers.get()
        if number == NO_MORE:
            self._ended = True
            return
        drawn = next(drawn for at, drawn in self._samples if at == number)  # numbers only grow
        self._items.extend(self._plan.items_of(drawn, self._job.done))


async def _work(job: Job, output: IO[bytes]) -> None:
    plan = make_plan(job.options, job.data)
    items, this = _Items(plan, job, output), asyncio.current_task()
    assert this is not None
    reading = asyncio.create_task(_read_numbers(items, this))
    async with open_environment(
        job.settings, plan.seed, examples=icl_examples(plan)
    ) as environment:
        executor = Executor(environment, _Line(output, RESULT), _Line(output, TRAINING))
        await executor.run(items.next, job.settings.concurrency or 1)
    reading.cancel()


async def _read_numbers(items: _Items, work: asyncio.Task[None]) -> None:
    """Take the numbers that come; ends the ``work`` when whoever hands them out is gone."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    async for line in reader:
        items.numbers.put_nowait(int(line))
    work.cancel()


def main() -> None:
    """Work until there are no more samples; what is wrong with all of them is passed on."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what else is printed must not stand between the lines
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the process that started this one
    try:
        asyncio.run(_work(job, output))
    except PersonaAgentError as error:
        output.write(ERROR + f"{type(error).__name__} {' '.join(str(error).split())}\n".encode())
        output.flush()
    except (asyncio.CancelledError, BrokenPipeError):  # whoever started this is gone
        sys.exit(1)


if __name__ == "__main__":
    main()
