"""What the tables need of a run's results, and the training records, by task and solver."""

from collections.abc import Mapping
from pathlib import Path

from personaagent.core.records import Record, Usage
from personaagent.eval.jsonl import read_records
from personaagent.eval.metrics.protocol import Outcome
from personaagent.eval.results import RESULTS_FILE, TRAINING_FILE, Result, TrainingRecord
from personaagent.eval.samples import NO_ANSWER

QueryKey = tuple[str, str]
"""A query of a task: the id of its sample, and its own id."""
SolverKey = tuple[str, str]
"""A solver on a task: the names of the task and of the solver."""


class IndexedResult(Record):
    """What the tables need of a result; prompts and texts are left out.

    ``silent``: the solver answered that it has no answer.
    """

    user_id: str
    gold: str
    read: str | None
    scores: dict[str, float]
    failed: bool
    silent: bool
    agrees: bool | None
    usage: Usage
    swapped_usage: Usage
    judge_usage: Usage
    seconds: float
    confidence: float | None = None

    @classmethod
    def of(cls, result: Result) -> "IndexedResult":
        """Index a result."""
        swapped = result.turned
        return cls(
            user_id=result.user_id,
            gold=result.gold,
            read=result.read,
            scores=result.scores,
            failed=result.failed is not None,
            silent=result.text == NO_ANSWER,
            agrees=swapped.agrees if swapped else None,
            usage=result.usage,
            swapped_usage=swapped.usage if swapped else Usage(),
            judge_usage=result.judge,
            seconds=result.seconds,
            confidence=result.confidence,
        )

    @property
    def outcome(self) -> Outcome:
        """The result as a metric needs it."""
        return Outcome(self.user_id, self.gold, self.read, self.scores, self.confidence)


SolverResults = Mapping[QueryKey, IndexedResult]
"""The results of one solver on one task."""


def index_results(folder: Path) -> dict[SolverKey, dict[QueryKey, IndexedResult]]:
    """The results in ``folder``, by solver and query; a later result replaces an earlier one.

    Sorted by key: the figures must not depend on the order in which queries were answered.

    Raises:
        DataError: a line cannot be read.
    """
    index: dict[SolverKey, dict[QueryKey, IndexedResult]] = {}
    for result in read_records(folder / RESULTS_FILE, Result):
        query_key = (result.case, result.question)
        index.setdefault((result.task, result.method), {})[query_key] = IndexedResult.of(result)
    return {key: dict(sorted(results.items())) for key, results in index.items()}


def answered_by_both(first: SolverResults, second: SolverResults) -> list[QueryKey]:
    """The queries that neither failed to answer."""
    return [
        key
        for key, result in first.items()
        if key in second and not result.failed and not second[key].failed
    ]


def training_records(folder: Path) -> dict[SolverKey, dict[str, TrainingRecord]]:
    """What was learned in ``folder``: by solver, then by sample id, both sorted.

    Raises:
        DataError: a line cannot be read.
    """
    records: dict[SolverKey, dict[str, TrainingRecord]] = {}
    for record in read_records(folder / TRAINING_FILE, TrainingRecord):
        records.setdefault((record.task, record.method), {})[record.case] = record
    return {key: dict(sorted(records[key].items())) for key in sorted(records)}
