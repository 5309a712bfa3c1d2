"""Compares two runs on the queries that both answered."""

from itertools import product
from pathlib import Path

from pydantic import Field

from personaagent.core.errors import DataError
from personaagent.core.records import Record
from personaagent.eval.estimate import Difference
from personaagent.eval.result_index import SolverResults, answered_by_both, index_results
from personaagent.eval.run_record import EvalOptions, differences, read_run
from personaagent.eval.selection import select_tasks
from personaagent.eval.solver_summary import compare_solvers
from personaagent.eval.tasks.protocol import Task


class ComparedMetric(Record):
    """One metric of one solver on one task, in both runs."""

    task: str
    method: str
    metric: str
    questions: int
    first: float
    second: float
    difference: Difference


class RunComparison(Record):
    """Two runs.

    ``difference`` in a row is the second less the first; ``differs`` names the options and settings
    that differ. ``not_compared`` names each task and method that both ran without a question that
    both answered.
    """

    rows: list[ComparedMetric]
    differs: list[str]
    not_compared: list[str] = Field(default_factory=list)


def compare_runs(first: Path, second: Path) -> RunComparison:
    """Compare the runs in two folders.

    Raises:
        DataError: a folder holds no run that can be read, or no question was answered in both.
    """
    first_made, second_made = read_run(first).made_with, read_run(second).made_with
    first_results, second_results = index_results(first), index_results(second)
    tasks = select_tasks(first_made.options)
    rows = {
        (task, solver): _rows(tasks[task], solver, first_results[task, solver], theirs)
        for task, solver in product(first_made.options.tasks, first_made.options.methods)
        if (task, solver) in first_results and (theirs := second_results.get((task, solver)))
    }
    if not any(rows.values()):
        raise DataError(_nothing_in_common(first, second, first_made.options, second_made.options))
    return RunComparison(
        rows=[row for of_key in rows.values() for row in of_key],
        differs=differences(first_made, second_made),
        not_compared=[" ".join(key) for key, of_key in rows.items() if not of_key],
    )


def _nothing_in_common(
    first: Path, second: Path, first_options: EvalOptions, second_options: EvalOptions
) -> str:
    """Why two runs cannot be compared, and what to do, as sentences."""
    sentence = f"{first} and {second} cannot be compared: "
    for kind in ("tasks", "methods"):
        ours, theirs = getattr(first_options, kind), getattr(second_options, kind)
        if set(ours).isdisjoint(theirs):
            return (
                f"{sentence}they have no {kind.removesuffix('s')} in common "
                f"({', '.join(ours)}; {', '.join(theirs)}). Run one with the {kind} of the other."
            )
    return (
        f"{sentence}no method answered the same question of a task in both. "
        "Run both with the same --users, --limit and --seed, and to their end."
    )


def _rows(
    task: Task, solver: str, first: SolverResults, second: SolverResults
) -> list[ComparedMetric]:
    compared = compare_solvers(task.metrics, second, first)
    keys = answered_by_both(first, second)
    return [
        ComparedMetric(
            task=task.name,
            method=solver,
            metric=metric.name,
            questions=compared.questions,
            first=metric.over([first[key].outcome for key in keys]),
            second=metric.over([second[key].outcome for key in keys]),
            difference=compared.metrics[metric.name],
        )
        for metric in task.metrics
        if metric.name in compared.metrics
    ]
