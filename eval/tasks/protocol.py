"""What a task is: its samples, how it reads an answer, and how it scores the answer."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import Field

from personaagent.core.records import Record, Usage
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.models.chat import Models


class Score(Record):
    """The scores of an answer.

    Args:
        read: the answer as the task understands it (a label, the text of an option); None if it
            cannot be read, or if solvers only recall.
        scores: numbers by name, for the task's metrics.
        usage: calls and tokens of the judge, if there is one.
    """

    read: str | None
    scores: dict[str, float]
    usage: Usage = Field(default_factory=Usage)


class Task(Protocol):
    """One task.

    Args:
        metrics: in the order of the table; comparisons use the first.
        labels: the possible answers; empty if any text is possible.
        answers: whether solvers answer (True), or only recall.
    """

    @property
    def name(self) -> str: ...
    @property
    def metrics(self) -> Sequence[Metric]: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def answers(self) -> bool: ...

    def samples(self, data: Path, seed: int) -> Iterator[Sample]:
        """Yield the samples in the order of the files; ``seed`` decides everything random.

        ``data`` is the folder that contains ``lamp/``, ``prefeval/`` and ``locomo/``.

        Raises:
            DataError: a file is missing or has another layout; says where the authors publish it.
        """
        ...

    def read(self, query: Query, text: str) -> str | None:
        """Read the answer; None if it cannot be read."""
        ...

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """Score the answer to a query of the sample. Exact metrics call no model.

        Raises:
            ServiceError, ConfigurationError: the judge cannot be asked.
        """
        ...
