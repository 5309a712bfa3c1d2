"""What a run keeps of each question: the answer, what it was worth, and what it took."""

from typing import Any, NamedTuple

from pydantic import Field

from personaagent.core.records import Record, Usage
from personaagent.eval.samples import TrainingResult

SAMPLES = "samples.jsonl"
LEARNED = "learned.jsonl"


class Key(NamedTuple):
    """What a sample is of."""

    task: str
    method: str
    case: str
    question: str


class SwappedOptions(Record):
    """The same question with its options in the opposite order, and how its answer was read.

    ``agrees`` says whether the same option was meant both times; what cannot be read never is.
    """

    text: str | None
    read: str | None
    agrees: bool
    usage: Usage


class Result(Record):
    """One method's answer to one question of one user.

    ``failed`` is the sentence of what went wrong: such a sample has no answer and is never scored.
    ``read`` is the answer as the task understands it (None: unparsable), ``judge`` what judging it
    took. ``seconds`` is from question to answer, judging left out. ``told`` is all that the model
    was told last.
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

    @property
    def key(self) -> Key:
        """What it is of."""
        return Key(self.task, self.method, self.case, self.question)


class TrainingRecord(Record):
    """What one method learned from one case before its questions."""

    task: str
    method: str
    case: str
    user_id: str
    learned: TrainingResult
