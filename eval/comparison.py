"""Compares two runs on the queries that both answered."""

from pathlib import Path

from personaagent.core.records import Record
from personaagent.eval.estimate import Difference
from personaagent.eval.result_index import SolverResults, answered_by_both, index_results
from personaagent.eval.run_record import differences, read_run
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
    that differ.
    """

    rows: list[ComparedMetric]
    differs: list[str]


def compare_runs(first: Path, second: Path) -> RunComparison:
    """Compare the runs in two folders.

    Raises:
        DataError: a folder holds no run that can be read.
    """
    first_made, second_made = read_run(first).made_with, read_run(second).made_with
    first_results, second_results = index_results(first), index_results(second)
    tasks = select_tasks(first_made.options)
    rows = [
        row
        for name in first_made.options.tasks
        for solver in first_made.options.methods
        if name in second_made.options.tasks
        and (name, solver) in first_results
        and (name, solver) in second_results
        for row in _rows(
            tasks[name], solver, first_results[name, solver], second_results[name, solver]
        )
    ]
    return RunComparison(rows=rows, differs=differences(first_made, second_made))


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
