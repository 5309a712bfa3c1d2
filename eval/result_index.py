"""What the table needs of a run's samples and lessons, and no more of them."""

from pathlib import Path

from personaagent.core.records import Record, Usage
from personaagent.eval.jsonl import read_lines
from personaagent.eval.metrics.protocol import Outcome
from personaagent.eval.results import LEARNED, SAMPLES, Result, TrainingRecord

Place = tuple[str, str]
"""A question: the id of its case, and its own."""


class ResultIndex(Record):
    """What the table needs of a sample."""

    user_id: str
    gold: str
    read: str | None
    scores: dict[str, float]
    failed: bool
    agrees: bool | None
    usage: Usage
    beside: Usage
    judge: Usage
    seconds: float

    @classmethod
    def of(cls, sample: Result) -> "ResultIndex":
        """That of the sample."""
        turned = sample.turned
        return cls(
            user_id=sample.user_id,
            gold=sample.gold,
            read=sample.read,
            scores=sample.scores,
            failed=sample.failed is not None,
            agrees=turned.agrees if turned else None,
            usage=sample.usage,
            beside=turned.usage if turned else Usage(),
            judge=sample.judge,
            seconds=sample.seconds,
        )

    @property
    def outcome(self) -> Outcome:
        """It, for a metric."""
        return Outcome(self.user_id, self.gold, self.read, self.scores)


def index_results(folder: Path) -> dict[tuple[str, str], dict[Place, ResultIndex]]:
    """What is needed of the samples in ``folder``, by task and method, in the order of their ids.

    Their order in the file is that in which they were done, and the figures are not to hang on it.

    Raises:
        DataError: a line cannot be read.
    """
    kept: dict[tuple[str, str], dict[Place, ResultIndex]] = {}
    for sample in read_lines(folder / SAMPLES, Result):
        place = (sample.case, sample.question)
        kept.setdefault((sample.task, sample.method), {})[place] = ResultIndex.of(sample)
    return {key: dict(sorted(samples.items())) for key, samples in kept.items()}


def lessons_of(folder: Path) -> dict[tuple[str, str], dict[str, TrainingRecord]]:
    """What was learned in ``folder``: by task and method, then by case, in the order of their names.

    Raises:
        DataError: a line cannot be read.
    """
    lessons: dict[tuple[str, str], dict[str, TrainingRecord]] = {}
    for lesson in read_lines(folder / LEARNED, TrainingRecord):
        lessons.setdefault((lesson.task, lesson.method), {})[lesson.case] = lesson
    return {key: dict(sorted(lessons[key].items())) for key in sorted(lessons)}
