"""The runner: every method on every case of every task, so many questions at a time.

It can be killed at any moment: a sample is one line that was written at once, and the next run
goes on with those that are missing. Cases are prepared as they come up, and let go of after.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from personaagent.core.errors import ConfigurationError, PersonaAgentError, UsageError
from personaagent.eval.jsonl import Lines
from personaagent.eval.plan import Plan, Progress, Work
from personaagent.eval.results import LEARNED, SAMPLES, Result, SwappedOptions, TrainingRecord
from personaagent.eval.samples import Query
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.solvers.protocol import Answerer
from personaagent.eval.tasks.options import meant
from personaagent.eval.tasks.protocol import Task
from personaagent.eval.tracing import NoTraces, Trace, Traces

ENDS = (ConfigurationError, UsageError)
"""What no other sample would fare better with: it ends the run."""

OnDone = Callable[[Result], None]


async def evaluate(
    plan: Plan,
    lab: EvalEnvironment,
    folder: Path,
    progress: Progress,
    *,
    concurrency: int,
    on_done: OnDone = lambda sample: None,
    traces: Traces | None = None,
) -> None:
    """Run what ``progress`` says is left of the plan, ``concurrency`` questions at once.

    Half as many again are being prepared or scored, or the endpoint would wait for them; how many
    requests it gets at once is for the lab's models to say.

    Raises:
        ConfigurationError, UsageError: no sample can be run like this; what is done is kept.
        DataError: the files in ``folder`` cannot be written.
    """
    under_way = concurrency + concurrency // 2
    run = _Run(
        lab=lab,
        samples=Lines(folder / SAMPLES),
        learned=Lines(folder / LEARNED),
        progress=progress,
        room=asyncio.Semaphore(under_way),
        on_done=on_done,
        traces=traces or NoTraces(),
    )
    works = plan.works(progress.before)
    try:
        with run.traces.run():
            await side_by_side(run.work_off(works) for _ in range(under_way))
    finally:
        run.samples.close()
        run.learned.close()
        await run.traces.flush()


@dataclass(frozen=True)
class _Run:
    lab: EvalEnvironment
    samples: Lines
    learned: Lines
    progress: Progress
    room: asyncio.Semaphore
    on_done: OnDone
    traces: Traces

    async def work_off(self, works: Iterator[Work]) -> None:
        """Take one case after another, until none is left."""
        for work in works:
            await self._case(work)

    async def _case(self, work: Work) -> None:
        await self.traces.case(work.task.name, work.case, work.questions)
        async with AsyncExitStack() as stack:
            try:
                answerer = await stack.enter_async_context(work.ready(self.lab))
            except ENDS:
                raise
            except Exception as error:
                for question in work.questions:
                    async with self._traced(work, question) as trace:
                        self._keep(_failed(work, question, error), trace)
                return
            if answerer.learned is not None:
                self.learned.append(
                    TrainingRecord(
                        task=work.task.name,
                        method=work.method.name,
                        case=work.case.id,
                        user_id=work.case.user_id,
                        learned=answerer.learned,
                    )
                )
            await side_by_side(self._question(work, answerer, each) for each in work.questions)

    async def _question(self, work: Work, answerer: Answerer, question: Query) -> None:
        async with self.room, self._traced(work, question) as trace:
            self._keep(await self._sample(work, answerer, question), trace)

    def _traced(self, work: Work, question: Query) -> AbstractAsyncContextManager[Trace]:
        return self.traces.sample(work.task.name, work.method.name, work.case, question)

    async def _sample(self, work: Work, answerer: Answerer, question: Query) -> Result:
        try:
            started = time.monotonic()
            answered = await answerer.answer(question)
            seconds = time.monotonic() - started
            scored = await work.task.score(work.case, question, answered, self.lab.models)
            turned = await _turned(work.task, answerer, question, scored.read)
        except ENDS:
            raise
        except Exception as error:
            return _failed(work, question, error)
        return _sample(work, question).model_copy(
            update={
                "text": answered.text,
                "read": scored.read,
                "scores": scored.scores,
                "usage": answered.usage,
                "judge": scored.usage,
                "seconds": seconds,
                "recalled": answered.recalled,
                "told": answered.told,
                "persona_version": answered.persona_version,
                "turned": turned,
            }
        )

    def _keep(self, sample: Result, trace: Trace) -> None:
        self.samples.append(sample)
        self.progress.add(sample)
        self.on_done(sample)
        trace.end(sample)


async def _turned(
    task: Task, answerer: Answerer, question: Query, first: str | None
) -> SwappedOptions | None:
    """The answer in the opposite order, beside that which was read as ``first``."""
    other = question.turned
    if other is None or not task.answers:
        return None
    answered = await answerer.answer(other)
    read = task.read(other, answered.text or "")
    same = first is not None and meant(task, question, first) == meant(task, other, read)
    return SwappedOptions(text=answered.text, read=read, agrees=same, usage=answered.usage)


def _sample(work: Work, question: Query) -> Result:
    return Result(
        task=work.task.name,
        method=work.method.name,
        case=work.case.id,
        question=question.id,
        user_id=work.case.user_id,
        query=question.query,
        gold=question.gold,
    )


def _failed(work: Work, question: Query, error: Exception) -> Result:
    known = isinstance(error, PersonaAgentError)
    what = str(error) if known else f"Something unforeseen: {type(error).__name__}: {error}"
    return _sample(work, question).model_copy(update={"failed": what or type(error).__name__})


async def side_by_side(works: Iterable[Coroutine[object, object, None]]) -> None:
    """Do all at once; the first that raises breaks the others off."""
    tasks = [asyncio.ensure_future(each) for each in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
