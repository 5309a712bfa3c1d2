"""The records that a run writes: one result for each query, and what each solver learned.

Field names here, in ``query_draw.QueryDraw`` and in ``run_record.EvalOptions`` are those of the files
of earlier runs: a stored ``method`` is a solver, a ``case`` a sample, a ``question`` a query.
"""

from typing import Any, NamedTuple

from pydantic import Field

from personaagent.core.decision import Decision
from personaagent.core.records import Record, Usage
from personaagent.eval.samples import TrainingResult

RESULTS_FILE = "samples.jsonl"
TRAINING_FILE = "learned.jsonl"


class ResultKey(NamedTuple):
    """Which answer a result is about: the names of task and solver, the ids of sample and query."""

    task: str
    solver: str
    sample_id: str
    query_id: str


class SwappedOptions(Record):
    """The answer to the same query with its options in the opposite order.

    ``agrees`` tells whether both answers chose the same option; an unreadable answer never agrees.
    ``right`` tells whether it is the wanted one.
    """

    text: str | None
    read: str | None
    agrees: bool
    right: bool = False
    usage: Usage


class Result(Record):
    """One solver's answer to one query of one user, and its score.

    Args:
        failed: why there is no answer, as a sentence. A failed result is never scored.
        read: the answer as the task understands it; None if the answer cannot be read.
        judge: calls and tokens of the judge.
        seconds: time from query to answer, without judging.
        told: the last prompt that the model received, as ``{role, content}``.
        turned: the answer with the options in the opposite order, if the query has options.
        decision: how the answer was decided; None if it is a model's own text.
    """

    task: str
    method: str
    case: str
    question: str
    user_id: str
    query: str
    gold: str
    failed: str | None = None
    text: str | None = None
    read: str | None = None
    scores: dict[str, float] = Field(default_factory=dict)
    usage: Usage = Usage()
    judge: Usage = Usage()
    seconds: float = 0.0
    recalled: list[str] = Field(default_factory=list)
    told: list[dict[str, Any]] = Field(default_factory=list)
    persona_version: int | None = None
    turned: SwappedOptions | None = None
    decision: Decision | None = None

    @property
    def key(self) -> ResultKey:
        """Which answer this result is about."""
        return ResultKey(self.task, self.method, self.case, self.question)

    @property
    def confidence(self) -> float | None:
        """The probability of the answer; None if no decision made it."""
        decision = self.decision
        return decision.confidence if decision is not None and decision.applied else None


class TrainingRecord(Record):
    """What one solver learned from one sample before its queries."""

    task: str
    method: str
    case: str
    user_id: str
    learned: TrainingResult
