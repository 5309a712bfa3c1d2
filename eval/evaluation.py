"""A run of the evaluation, from its plan to its results; a killed run continues."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from personaagent.core.errors import Conflict, UsageError
from personaagent.core.files import make_private
from personaagent.core.records import Episode
from personaagent.core.settings import Settings
from personaagent.eval.executor import OnResult, execute_plan
from personaagent.eval.processes import Job, execute_in_processes
from personaagent.eval.query_draw import describe_draw, draw_queries
from personaagent.eval.run_plan import RunPlan, RunProgress, read_progress
from personaagent.eval.run_record import EvalOptions, MadeWith, Session, record_session
from personaagent.eval.selection import select_solvers, select_tasks
from personaagent.eval.solvers.environment import open_environment
from personaagent.eval.solvers.icl import draw_examples
from personaagent.eval.solvers.protocol import Solver, can_solve
from personaagent.eval.tasks.protocol import Task
from personaagent.eval.tracing import Traces
from personaagent.models.embedded import usable_cores

RUNS_FOLDER = "eval-runs"
HASH_DIGITS = 8
REQUESTS_A_WORKER = 32
RESULTS_A_WORKER = 500
"""With fewer a process costs more than it saves."""


@dataclass(frozen=True)
class RunSettings:
    """Where a run reads and writes, and how fast; none of this changes an answer.

    Args:
        out: the folder of the run; None: a folder named after what decides the answers.
        langsmith: the name of a LangSmith project to send the run to as well.
        workers: in how many processes; None: as many as the endpoint keeps busy.
    """

    data: Path
    out: Path | None = None
    concurrency: int = 1
    retry_failed: bool = False
    langsmith: str | None = None
    workers: int | None = None


OnBegin = Callable[[Path, RunProgress], None]
"""Receives the folder of the run, and how far the run is."""


async def run_evaluation(
    options: EvalOptions,
    settings: Settings,
    run_settings: RunSettings,
    *,
    on_begin: OnBegin = lambda folder, progress: None,
    on_result: OnResult = lambda result: None,
) -> Path:
    """Run everything that has no result yet; returns the folder with all results.

    Raises:
        UsageError: there is no such task or solver, or the folder holds another run.
        ConfigurationError: the models cannot be asked at all; finished results are kept.
        DataError: data is missing, or the folder cannot be used.
        Conflict: another process is running in the folder.
    """
    update = {"concurrency": run_settings.concurrency, "timezone": "UTC"}
    settings = settings.model_copy(update=update)
    _check_workers(run_settings, settings)
    plan = make_plan(options, run_settings.data)
    draws = {task: describe_draw(queries) for task, queries in plan.queries.items()}
    made_with = MadeWith.of(settings, options, draws)
    folder = run_settings.out or Path(RUNS_FOLDER, _digest(made_with))
    make_private(folder)
    with _only_process_in(folder):
        session = Session.start(settings, run_settings.concurrency, run_settings.data)
        record_session(folder, made_with, session)
        progress = read_progress(folder, plan, retry_failed=run_settings.retry_failed)
        on_begin(folder, progress)
        if progress.left:
            workers = run_settings.workers or _worker_count(run_settings, settings, progress.left)
            if workers > 1:
                job = Job(options, settings, run_settings.data, progress.finished_before)
                await execute_in_processes(
                    plan, job, folder, progress, workers=workers, on_result=on_result
                )
            else:
                traces = await _open_traces(run_settings.langsmith, made_with, settings)
                await _execute_here(plan, settings, folder, progress, on_result, traces)
    return folder


async def _execute_here(
    plan: RunPlan,
    settings: Settings,
    folder: Path,
    progress: RunProgress,
    on_result: OnResult,
    traces: Traces | None,
) -> None:
    examples = icl_examples(plan)
    async with open_environment(settings, plan.seed, examples=examples) as environment:
        await execute_plan(
            plan,
            environment,
            folder,
            progress,
            concurrency=settings.concurrency or 1,
            on_result=on_result,
            traces=traces,
        )


def _check_workers(run_settings: RunSettings, settings: Settings) -> None:
    if (run_settings.workers or 1) > 1 and (settings.embedded or run_settings.langsmith):
        raise UsageError(
            "The embedded model, and traces in LangSmith, take one process: leave --workers out."
        )


def _worker_count(run_settings: RunSettings, settings: Settings, left: int) -> int:
    """As many processes as one of them could not feed an endpoint, and as pay for their start.

    One where they would share a model on this machine, or send traces.
    """
    if settings.embedded or run_settings.langsmith:
        return 1
    busy = run_settings.concurrency // REQUESTS_A_WORKER
    return max(1, min(usable_cores(), busy, left // RESULTS_A_WORKER))


def make_plan(options: EvalOptions, data: Path) -> RunPlan:
    """Choose tasks and solvers, and draw the queries.

    Raises:
        UsageError: there is no such task or solver, or no solver can solve a task.
        DataError: data is missing.
    """
    tasks, solvers = [*select_tasks(options).values()], select_solvers(options)
    _check_every_task_has_a_solver(tasks, solvers)
    queries = {
        task.name: draw_queries(
            task.samples(data, options.seed), options.users, options.limit, options.seed
        )
        for task in tasks
    }
    return RunPlan(tasks, solvers, queries, data, options.seed, options.history, options.labels)


def _check_every_task_has_a_solver(tasks: Sequence[Task], solvers: Sequence[Solver]) -> None:
    for task in tasks:
        if not any(can_solve(solver, task) for solver in solvers):
            raise UsageError(
                f"None of these methods can only recall, as {task.name} asks: add rag."
            )


@contextmanager
def _only_process_in(folder: Path) -> Iterator[None]:
    try:
        lock = FileLock(folder / ".lock", timeout=0).acquire()
    except Timeout as error:
        raise Conflict(f"Another process is running the evaluation in {folder}.") from error
    with lock:
        yield


def icl_examples(plan: RunPlan) -> Mapping[str, Sequence[Episode]]:
    """The examples for in-context learning, by task, drawn from the samples of all users."""
    if not any(solver.name == "icl" for solver in plan.solvers):
        return {}
    return {
        task.name: draw_examples(task.samples(plan.data, plan.seed), plan.seed)
        for task in plan.tasks
    }


async def _open_traces(
    project: str | None, made_with: MadeWith, settings: Settings
) -> Traces | None:
    if project is None:
        return None
    from personaagent.eval.langsmith_traces import langsmith_traces

    return await langsmith_traces(project, made_with, settings)


def _digest(made_with: MadeWith) -> str:
    return hashlib.sha256(made_with.model_dump_json().encode()).hexdigest()[:HASH_DIGITS]
