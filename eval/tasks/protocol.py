"""What a task is: where its cases come from, how an answer is read, and what it is worth."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import Field

from personaagent.core.records import Record, Usage
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.models.chat import Models


class Scored(Record):
    """What a task makes of an answer.

    ``read`` is the answer as the task understands it (a label, the text of an option), None where
    it cannot be (unparsable), or where methods only recall. ``scores`` are numbers by name, for
    the task's metrics; ``usage`` is the judge's, where one was asked.
    """

    read: str | None
    scores: dict[str, float]
    usage: Usage = Field(default_factory=Usage)


class Task(Protocol):
    """One task. ``metrics`` come in the order of the table, the first decides comparisons.

    ``labels`` is the fixed list of answers, empty where there is none; ``answers`` says whether
    methods answer (True), or only recall.
    """

    @property
    def name(self) -> str: ...
    @property
    def metrics(self) -> Sequence[Metric]: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def answers(self) -> bool: ...

    def cases(self, data: Path, seed: int) -> Iterator[Sample]:
        """The cases, in the order of the files; ``seed`` decides what is shuffled.

        ``data`` is the folder that holds ``lamp/``, ``prefeval/`` and ``locomo/``.

        Raises:
            DataError: a file is missing or in another layout; says where its authors publish it.
        """
        ...

    def read(self, question: Query, text: str) -> str | None:
        """The answer as the task understands it; None where it cannot be understood."""
        ...

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        """What the answer to a question of ``case`` is worth. Exact metrics ask no model.

        Raises:
            ServiceError, ConfigurationError: the judge cannot be asked.
        """
        ...
