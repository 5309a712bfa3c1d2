"""The table of a run: what each solver scored on each task, how certain that is, and its cost.

Field names are those of ``report.json``: a ``method`` is a solver, ``questions`` are queries.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from personaagent.core.records import Record, Usage
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.prices import Prices
from personaagent.eval.result_index import (
    SolverKey,
    SolverResults,
    index_results,
    training_records,
)
from personaagent.eval.results import TrainingRecord
from personaagent.eval.run_record import MadeWith, read_run
from personaagent.eval.solver_summary import SolverSummary, compare_solvers, summarise_solver
from personaagent.eval.solvers.protocol import can_solve
from personaagent.eval.solvers.registry import BASELINES, SOLVERS
from personaagent.eval.tasks.protocol import Task


class MetricColumn(Record):
    """A metric of a task; ``higher`` tells whether more is better."""

    name: str
    higher: bool


class TaskSummary(Record):
    """One task: the number of its users and queries, its metrics, and every solver.

    ``rival`` is the solver that the others are compared with: the one you named, or the baseline with
    the best first metric; None if neither was run.
    """

    users: int
    questions: int
    metrics: list[MetricColumn]
    rival: str | None
    methods: dict[str, SolverSummary]


class Summary(Record):
    """The whole run: ``done`` of ``total`` results exist. ``made_with`` is that of ``run.json``."""

    made_with: MadeWith
    commit: str | None
    tasks: dict[str, TaskSummary]
    price: float | None
    done: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether every query has a result."""
        return self.done == self.total


Results = Mapping[SolverKey, SolverResults]
Training = Mapping[SolverKey, Mapping[str, TrainingRecord]]


def summarise_run(
    folder: Path, tasks: Mapping[str, Task], prices: Prices, against: str | None = None
) -> Summary:
    """The table of the run in ``folder``, finished or not.

    ``against`` names the rival; by default it is the best baseline.

    Raises:
        DataError: the folder holds no run that can be read.
    """
    record = read_run(folder)
    made_with = record.made_with
    results, training = index_results(folder), training_records(folder)
    return Summary(
        made_with=made_with,
        commit=record.sessions[-1].commit,
        tasks={
            name: _summarise_task(tasks[name], results, training, made_with, prices, against)
            for name in made_with.options.tasks
        },
        price=prices.of(_total_usage(results, training), made_with.models),
        done=sum(map(len, results.values())),
        total=_total_results(tasks, made_with),
    )


def _summarise_task(
    task: Task,
    results: Results,
    training: Training,
    made_with: MadeWith,
    prices: Prices,
    against: str | None,
) -> TaskSummary:
    by_solver = {
        solver: results[task.name, solver]
        for solver in made_with.options.methods
        if results.get((task.name, solver))
    }
    rivals = [solver for solver in by_solver if solver in BASELINES or solver == against]
    solvers = {
        solver: summarise_solver(
            task,
            [*own.values()],
            [*training.get((task.name, solver), {}).values()],
            {
                rival: compare_solvers(task.metrics, own, by_solver[rival])
                for rival in rivals
                if rival != solver
            },
            prices,
            made_with.models,
        )
        for solver, own in by_solver.items()
    }
    drawn = made_with.drawn[task.name]
    return TaskSummary(
        users=drawn.users,
        questions=drawn.questions,
        metrics=[MetricColumn(name=each.name, higher=each.higher) for each in task.metrics],
        rival=against if against in solvers else _best_baseline(task.metrics[0], solvers),
        methods=solvers,
    )


def _best_baseline(first: Metric, solvers: Mapping[str, SolverSummary]) -> str | None:
    sign = 1 if first.higher else -1
    means = {
        name: sign * solver.metrics[first.name].mean
        for name, solver in solvers.items()
        if name in BASELINES and first.name in solver.metrics
    }
    return max(means, key=means.__getitem__) if means else None


def _total_usage(results: Results, training: Training) -> Usage:
    """What the whole run spent: answers, swapped options, judging and learning."""
    usages: Sequence[Usage] = [
        usage
        for own in results.values()
        for result in own.values()
        for usage in (result.usage, result.swapped_usage, result.judge_usage)
    ]
    learning = [record.learned.usage for own in training.values() for record in own.values()]
    return sum([*usages, *learning], Usage())


def _total_results(tasks: Mapping[str, Task], made_with: MadeWith) -> int:
    """How many results the finished run has."""
    return sum(
        made_with.drawn[task].questions
        for task in made_with.options.tasks
        for solver in made_with.options.methods
        if can_solve(SOLVERS[solver], tasks[task])
    )
