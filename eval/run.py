"""A run of the evaluation from beginning to end, or on from where it was killed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from filelock import FileLock, Timeout

from personaagent.core.errors import Conflict, UsageError
from personaagent.core.files import make_private
from personaagent.core.settings import Settings
from personaagent.eval.plan import Plan, Progress, progress_of
from personaagent.eval.results import Result
from personaagent.eval.run_record import MadeWith, Options, begin, made_with, session
from personaagent.eval.runner import evaluate
from personaagent.eval.sampling import draw, drawn
from personaagent.eval.solvers.all import SOLVERS
from personaagent.eval.solvers.environment import open_environment
from personaagent.eval.solvers.icl import draw_examples
from personaagent.eval.solvers.protocol import Solver, fits
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.prefeval import PrefEval
from personaagent.eval.tasks.protocol import Task
from personaagent.eval.tracing import Traces

T = TypeVar("T")
FOLDER = "eval-runs"
HASH_DIGITS = 8


@dataclass(frozen=True)
class Where:
    """Where a run reads and writes, and how it goes about it; none of this decides an answer.

    ``out`` None: a folder named after what the run is made with. ``langsmith``: a project's name.
    """

    data: Path
    out: Path | None = None
    concurrency: int = 1
    retry_failed: bool = False
    langsmith: str | None = None


OnBegin = Callable[[Path, Progress], None]
"""Told where the run is kept, and how far it is."""


async def run(
    options: Options,
    settings: Settings,
    where: Where,
    *,
    on_begin: OnBegin = lambda folder, progress: None,
    on_done: Callable[[Result], None] = lambda sample: None,
) -> Path:
    """Run all that is not done yet; returns the folder in which everything is kept.

    Raises:
        UsageError: there is no such task or method, or the folder holds another run.
        ConfigurationError: the models cannot be asked at all; what is done is kept.
        DataError: data is missing, or the folder cannot be used.
        Conflict: another process is running in the folder.
    """
    settings = settings.model_copy(update={"concurrency": where.concurrency})
    tasks, methods = [*tasks_of(options).values()], named(SOLVERS, options.methods, "method")
    _check_fit(tasks, methods)
    plan = Plan(
        tasks=tasks,
        methods=methods,
        asked={
            task.name: draw(
                task.cases(where.data, options.seed), options.users, options.limit, options.seed
            )
            for task in tasks
        },
        data=where.data,
        seed=options.seed,
        history=options.history,
    )
    made = made_with(settings, options, {name: drawn(asked) for name, asked in plan.asked.items()})
    folder = where.out or Path(FOLDER, _digest(made))
    make_private(folder)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise Conflict(f"Another process is running the evaluation in {folder}.") from error
    with lock:
        begin(folder, made, session(settings, where.concurrency, where.data))
        progress = progress_of(folder, plan, retry_failed=where.retry_failed)
        on_begin(folder, progress)
        if progress.left:
            traces = await _traces(where.langsmith, made, settings)
            examples = _examples(plan, options) if "icl" in options.methods else {}
            async with open_environment(settings, options.seed, examples=examples) as lab:
                await evaluate(
                    plan,
                    lab,
                    folder,
                    progress,
                    concurrency=where.concurrency,
                    on_done=on_done,
                    traces=traces,
                )
    return folder


def tasks_of(options: Options) -> dict[str, Task]:
    """The tasks by name, set as the options say.

    Raises:
        UsageError: there is no such task.
    """
    return {task.name: _set(task, options) for task in named(TASKS, options.tasks, "task")}


def named(known: Mapping[str, T], names: Sequence[str], what: str) -> list[T]:
    """Those of the names.

    Raises:
        UsageError: naming one that is not known, or says that none is given.
    """
    if not names:
        raise UsageError(f"Name at least one {what}; there are {', '.join(known)}.")
    for name in names:
        if name not in known:
            raise UsageError(f"There is no {what} {name!r}; there are {', '.join(known)}.")
    return [known[name] for name in names]


def _check_fit(tasks: Sequence[Task], methods: Sequence[Solver]) -> None:
    """See that each task has a method that can do it.

    Raises:
        UsageError: one has none.
    """
    for task in tasks:
        if not any(fits(method, task) for method in methods):
            raise UsageError(
                f"None of these methods can only recall, as {task.name} asks: add rag."
            )


def _set(task: Task, options: Options) -> Task:
    if options.turns is None or not isinstance(task, PrefEval):
        return task
    return cast(Task, replace(task, turns=options.turns))


def _examples(plan: Plan, options: Options) -> dict[str, Any]:
    """What in-context learning shows, drawn from the cases of all users."""
    return {
        task.name: draw_examples(task.cases(plan.data, options.seed), options.seed)
        for task in plan.tasks
    }


async def _traces(project: str | None, made: MadeWith, settings: Settings) -> Traces | None:
    if project is None:
        return None
    from personaagent.eval.langsmith_traces import langsmith_traces

    return await langsmith_traces(project, made, settings)


def _digest(made: MadeWith) -> str:
    return hashlib.sha256(made.model_dump_json().encode()).hexdigest()[:HASH_DIGITS]
