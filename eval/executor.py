"""Runs a plan in this process: every solver on every sample of every task, several queries at once.

A run may be killed at any moment. Each result is one line, written at once; the next run continues
with the missing results. Samples are prepared when their turn comes and released afterwards.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from personaagent.core.errors import ConfigurationError, PersonaAgentError, UsageError
from personaagent.core.records import Record
from personaagent.eval.jsonl import JsonLinesWriter
from personaagent.eval.results import (
    RESULTS_FILE,
    TRAINING_FILE,
    Result,
    SwappedOptions,
    TrainingRecord,
)
from personaagent.eval.run_plan import RunPlan, RunProgress, WorkItem
from personaagent.eval.samples import Query, TrainingResult
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.solvers.protocol import Answerer
from personaagent.eval.tasks.option_answers import BOTH_ORDERS, option_text
from personaagent.eval.tasks.protocol import Task
from personaagent.eval.tracing import NoTraces, Trace, Traces

FATAL_ERRORS = (ConfigurationError, UsageError)
"""Errors that every other query would meet as well: they end the run."""

OnResult = Callable[[Result], None]
NextItem = Callable[[], Awaitable[WorkItem | None]]
"""What is to be run next; None if nothing is left."""


class Records(Protocol):
    """Where records go."""

    def append(self, record: Record) -> None:
        """Keep the record."""
        ...


async def execute_plan(
    plan: RunPlan,
    environment: EvalEnvironment,
    folder: Path,
    progress: RunProgress,
    *,
    concurrency: int,
    on_result: OnResult = lambda result: None,
    traces: Traces | None = None,
) -> None:
    """Run what ``progress`` says is left of the plan, ``concurrency`` queries at once.

    Half as many more are prepared or scored meanwhile, so that the endpoint need not wait for
    them. The environment's models limit how many requests the endpoint gets at once.

    Raises:
        ConfigurationError, UsageError: no query can be run like this; finished results are kept.
        DataError: the files in ``folder`` cannot be written.
    """
    items = plan.work_items(progress.finished_before)

    async def next_item() -> WorkItem | None:
        return next(items, None)

    def keep(result: Result) -> None:
        progress.add(result)
        on_result(result)

    traces = traces or NoTraces()
    with run_files(folder) as (results, training_records), traces.run():
        executor = Executor(environment, results, training_records, keep, traces)
        try:
            await executor.run(next_item, concurrency)
        finally:
            await traces.flush()


@contextmanager
def run_files(folder: Path) -> Iterator[tuple[JsonLinesWriter, JsonLinesWriter]]:
    """The files of results and of training records in the folder of a run.

    Raises:
        DataError: they cannot be written.
    """
    results = JsonLinesWriter(folder / RESULTS_FILE)
    training_records = JsonLinesWriter(folder / TRAINING_FILE)
    try:
        yield results, training_records
    finally:
        results.close()
        training_records.close()


@dataclass(frozen=True)
class Executor:
    """Runs items; what they give goes to ``results`` and ``training_records``."""

    environment: EvalEnvironment
    results: Records
    training_records: Records
    on_result: OnResult = lambda result: None
    traces: Traces = field(default_factory=NoTraces)

    async def run(self, next_item: NextItem, concurrency: int) -> None:
        """Run all items: see ``execute_plan``."""
        in_flight = concurrency + concurrency // 2
        query_slots = asyncio.Semaphore(in_flight)
        await run_concurrently(self._work_through(next_item, query_slots) for _ in range(in_flight))

    async def _work_through(self, next_item: NextItem, query_slots: asyncio.Semaphore) -> None:
        while (item := await next_item()) is not None:
            await self._run_item(item, query_slots)

    async def _run_item(self, item: WorkItem, query_slots: asyncio.Semaphore) -> None:
        await self.traces.case(item.task.name, item.sample, item.queries)
        async with AsyncExitStack() as stack:
            try:
                answerer = await stack.enter_async_context(item.prepare(self.environment))
            except FATAL_ERRORS:
                raise
            except Exception as error:
                await self._fail_all_queries(item, error)
                return
            if answerer.training_result is not None:
                self.training_records.append(_training_record(item, answerer.training_result))
            await run_concurrently(
                self._run_query(item, answerer, query, query_slots) for query in item.queries
            )

    async def _fail_all_queries(self, item: WorkItem, error: Exception) -> None:
        for query in item.queries:
            async with self._trace(item, query) as trace:
                self._save(_failed_result(item, query, error), trace)

    async def _run_query(
        self, item: WorkItem, answerer: Answerer, query: Query, query_slots: asyncio.Semaphore
    ) -> None:
        async with query_slots, self._trace(item, query) as trace:
            try:
                result = await self._answer_and_score(item, answerer, query)
            except FATAL_ERRORS:
                raise
            except Exception as error:
                result = _failed_result(item, query, error)
            self._save(result, trace)

    def _trace(self, item: WorkItem, query: Query) -> AbstractAsyncContextManager[Trace]:
        return self.traces.sample(item.task.name, item.solver.name, item.sample, query)

    async def _answer_and_score(self, item: WorkItem, answerer: Answerer, query: Query) -> Result:
        started = time.monotonic()
        output = await answerer.answer(query)
        seconds = time.monotonic() - started
        score = await item.task.score(item.sample, query, output, self.environment.models)
        swapped = await _answer_swapped(item.task, answerer, query, score.read)
        return _new_result(item, query).model_copy(
            update={
                "text": output.text,
                "read": score.read,
                "scores": score.scores | _score_of_both_orders(query, score.read, swapped),
                "usage": output.usage,
                "judge": score.usage,
                "seconds": seconds,
                "recalled": output.recalled,
                "told": output.messages,
                "persona_version": output.persona_version,
                "turned": swapped,
                "decision": output.decision,
            }
        )

    def _save(self, result: Result, trace: Trace) -> None:
        self.results.append(result)
        self.on_result(result)
        trace.end(result)


async def _answer_swapped(
    task: Task, answerer: Answerer, query: Query, first_answer: str | None
) -> SwappedOptions | None:
    """Ask with the options in the opposite order, and compare with the first answer."""
    swapped = query.swapped
    if swapped is None or not task.answers:
        return None
    output = await answerer.answer(swapped)
    answer = task.read(swapped, output.text or "")
    agrees = first_answer is not None and (
        option_text(task, query, first_answer) == option_text(task, swapped, answer)
    )
    right = answer is not None and answer == swapped.gold
    return SwappedOptions(
        text=output.text, read=answer, agrees=agrees, right=right, usage=output.usage
    )


def _score_of_both_orders(
    query: Query, read: str | None, swapped: SwappedOptions | None
) -> dict[str, float]:
    """The mean of both answers: a model that knows only positions scores by chance."""
    if swapped is None:
        return {}
    return {BOTH_ORDERS: ((read == query.gold) + swapped.right) / 2}


def _training_record(item: WorkItem, training_result: TrainingResult) -> TrainingRecord:
    return TrainingRecord(
        task=item.task.name,
        method=item.solver.name,
        case=item.sample.id,
        user_id=item.sample.user_id,
        learned=training_result,
    )


def _new_result(item: WorkItem, query: Query) -> Result:
    return Result(
        task=item.task.name,
        method=item.solver.name,
        case=item.sample.id,
        question=query.id,
        user_id=item.sample.user_id,
        query=query.text,
        gold=query.gold,
    )


def _failed_result(item: WorkItem, query: Query, error: Exception) -> Result:
    known = isinstance(error, PersonaAgentError)
    reason = str(error) if known else f"Unexpected error: {type(error).__name__}: {error}"
    return _new_result(item, query).model_copy(update={"failed": reason or type(error).__name__})


async def run_concurrently(coroutines: Iterable[Coroutine[object, object, None]]) -> None:
    """Run all at once; the first error cancels the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
