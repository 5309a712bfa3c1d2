"""What is behind the figures of a report: persona changes, regressions, and failures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from personaagent.core.records import Record
from personaagent.eval.jsonl import read_records
from personaagent.eval.report.persona_changes import PersonaChange, find_persona_changes
from personaagent.eval.report.regressions import (
    OUR_SOLVER,
    Regression,
    TaskGains,
    find_regressions,
)
from personaagent.eval.result_index import index_results
from personaagent.eval.results import RESULTS_FILE, Result, ResultKey
from personaagent.eval.summary import Summary
from personaagent.eval.tasks.protocol import Task

MAX_REGRESSIONS_PER_TASK = 5
MAX_FAILURES = 10


class FailureCount(Record):
    """A reason why queries failed, as a sentence, and how many."""

    task: str
    solver: str
    count: int
    reason: str


class ReportDetails(Record):
    """All details. ``regressed`` and ``improved`` count queries by task."""

    changes: list[PersonaChange]
    regressions: list[Regression]
    regressed: dict[str, int]
    improved: dict[str, int]
    failures: list[FailureCount]


def collect_details(summary: Summary, folder: Path, tasks: Mapping[str, Task]) -> ReportDetails:
    """Collect the details of the run in ``folder``, whose table is ``summary``.

    Raises:
        DataError: the files cannot be read.
    """
    all_gains = [*_gains_against_rivals(summary, folder, tasks)]
    return ReportDetails(
        changes=find_persona_changes(folder),
        regressions=find_regressions(folder, all_gains, MAX_REGRESSIONS_PER_TASK),
        regressed={gains.task: len(gains.regressed) for gains in all_gains},
        improved={gains.task: gains.improved for gains in all_gains},
        failures=_count_failures(folder),
    )


def _gains_against_rivals(
    summary: Summary, folder: Path, tasks: Mapping[str, Task]
) -> Iterator[TaskGains]:
    results = index_results(folder)
    for name, task in summary.tasks.items():
        ours = results.get((name, OUR_SOLVER))
        if task.rival is not None and task.rival != OUR_SOLVER and ours is not None:
            metric = tasks[name].metrics[0]
            yield TaskGains.of(name, task.rival, metric, ours, results[name, task.rival])


def _count_failures(folder: Path) -> list[FailureCount]:
    """The most frequent reasons among results that failed and were not replaced by a later one."""
    reasons: dict[ResultKey, str | None] = {
        result.key: result.failed for result in read_records(folder / RESULTS_FILE, Result)
    }
    counts = Counter((key.task, key.solver, reason) for key, reason in reasons.items() if reason)
    return [
        FailureCount(task=task, solver=solver, count=count, reason=reason)
        for (task, solver, reason), count in counts.most_common(MAX_FAILURES)
    ]
