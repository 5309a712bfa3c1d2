"""Two runs, in pairs."""

from collections.abc import Mapping
from pathlib import Path

from personaagent.core.records import Record
from personaagent.eval.estimate import Difference
from personaagent.eval.result_index import Place, ResultIndex, index_results
from personaagent.eval.run import tasks_of
from personaagent.eval.run_record import differing, read_run
from personaagent.eval.summary import compare_kept
from personaagent.eval.tasks.protocol import Task


class Compared(Record):
    """One metric of one method on one task, on the questions that both runs have answered."""

    task: str
    method: str
    metric: str
    questions: int
    first: float
    second: float
    difference: Difference


class Comparison(Record):
    """Two runs; ``difference`` is the second less the first, ``differs`` what they are made with."""

    rows: list[Compared]
    differs: list[str]


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compare the runs in two folders.

    Raises:
        DataError: a folder holds no run that can be read.
    """
    ours, theirs = read_run(first).made_with, read_run(second).made_with
    names = [name for name in ours.options.tasks if name in theirs.options.tasks]
    tasks = tasks_of(ours.options)
    before, after = index_results(first), index_results(second)
    return Comparison(
        rows=[
            row
            for name in names
            for method in ours.options.methods
            if (name, method) in before and (name, method) in after
            for row in _rows(tasks[name], method, before[name, method], after[name, method])
        ],
        differs=differing(ours, theirs),
    )


def _rows(
    task: Task, method: str, first: Mapping[Place, ResultIndex], second: Mapping[Place, ResultIndex]
) -> list[Compared]:
    against = compare_kept(task.metrics, second, first)
    both = [
        place
        for place in first.keys() & second.keys()
        if not first[place].failed and not second[place].failed
    ]
    return [
        Compared(
            task=task.name,
            method=method,
            metric=metric.name,
            questions=against.questions,
            first=metric.over([first[place].outcome for place in both]),
            second=metric.over([second[place].outcome for place in both]),
            difference=against.metrics[metric.name],
        )
        for metric in task.metrics
        if metric.name in against.metrics
    ]
