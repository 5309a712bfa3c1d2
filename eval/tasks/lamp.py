"""LaMP: classification (1, 2N, 2M), rating (3), and texts in the user's style (4 to 7)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from personaagent.core.records import Episode
from personaagent.eval.metrics.personal import faithfulness, persona_f1
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.metrics.scores import MacroF1, Mean, RootMeanSquare
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.tasks.files import readable
from personaagent.eval.tasks.lamp_files import PUBLISHED, Asked, asked_in
from personaagent.eval.tasks.protocol import Scored
from personaagent.models.chat import Models
from personaagent.nodes.alignment.answer_scores import ANSWER_WORDS, number_in, said_label

MOVIE_TAGS = (
    "sci-fi", "based on a book", "comedy", "action", "twist ending", "dystopia", "dark comedy",
    "classic", "psychology", "fantasy", "romance", "thought-provoking", "social commentary",
    "violence", "true story",
)  # fmt: skip
NEWS_CATEGORIES = (
    "women", "religion", "politics", "style & beauty", "entertainment", "culture & arts", "sports",
    "science & technology", "travel", "business", "crime", "education", "healthy living", "parents",
    "food & drink",
)  # fmt: skip
STARS = ("1", "2", "3", "4", "5")
FAITHFUL = Mean("faithfulness", "faithfulness")


class Form(NamedTuple):
    """How an item of a profile is the question that would have asked for it.

    ``ask`` is the official prompt that stands before the item's ``text``; ``truth`` is the field
    that answers it, None where no item has an answer.
    """

    ask: str
    text: str
    truth: str | None


@dataclass(frozen=True)
class LampTask(ABC):
    """What the tasks have in common: a case a question, its own profile the history."""

    name: str
    form: Form
    labels: tuple[str, ...] = ()
    answers = True

    @property
    @abstractmethod
    def metrics(self) -> Sequence[Metric]:
        """In the order of the table, the first decides comparisons."""

    def cases(self, data: Path, seed: int) -> Iterator[Sample]:
        """The cases; nothing is shuffled. A history has nothing of the question, or after it."""
        folder = data / "lamp" / self.name
        for asked in asked_in(folder):
            with readable(folder / "questions.json", PUBLISHED):
                case = Sample(
                    id=asked.id,
                    task=self.name,
                    user_id=asked.user_id,
                    history=self._history(asked),
                    questions=[
                        Query(
                            id=asked.id,
                            query=asked.input,
                            gold=asked.gold,
                            details={"date": asked.date.isoformat()} if asked.date else {},
                        )
                    ],
                )
            yield case

    def _history(self, asked: Asked) -> list[Episode]:
        """An episode an item, oldest first; those without a date in the order of the file."""
        found = []
        for number, item in enumerate(asked.profile, 1):
            query = f"{self.form.ask} {item.fields[self.form.text]}".strip()
            truth = None if self.form.truth is None else str(item.fields[self.form.truth])
            moment = item.date or datetime.fromtimestamp(number, UTC)
            if query not in (asked.input, asked.gold):
                found.append(episode(self.name, asked.user_id, number, query, truth, moment))
        return found

    @abstractmethod
    def read(self, question: Query, text: str) -> str | None:
        """The answer as the task understands it; None where it cannot be understood."""

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        """By exact metrics; no model is asked."""
        read = self.read(question, answered.text or "")
        return Scored(read=read, scores=self._scores(case, question, read, answered.text or ""))

    @abstractmethod
    def _scores(
        self, case: Sample, question: Query, read: str | None, text: str
    ) -> dict[str, float]: ...


@dataclass(frozen=True)
class LampLabels(LampTask):
    """A label of a fixed list; any other answer is wrong, as in the official evaluation."""

    @property
    def metrics(self) -> Sequence[Metric]:
        return *label_metrics(self.labels), FAITHFUL

    def read(self, question: Query, text: str) -> str | None:
        """The label that the answer is or says; official is the bare label (``exact``)."""
        return said_label(text, self.labels)

    def _scores(
        self, case: Sample, question: Query, read: str | None, text: str
    ) -> dict[str, float]:
        return label_scores(question, read, text) | _used_before(case, read)


@dataclass(frozen=True)
class LampRating(LampTask):
    """A number from 1 to 5; an answer that is none counts as whichever of 1 and 5 is farther."""

    labels: tuple[str, ...] = STARS

    @property
    def metrics(self) -> Sequence[Metric]:
        return Mean("MAE", "error", higher=False), RootMeanSquare("RMSE", "error"), FAITHFUL

    def read(self, question: Query, text: str) -> str | None:
        """The first number of an answer of at most 12 words, if it is from 1 to 5."""
        number = number_in(text) if len(text.split()) <= ANSWER_WORDS else None
        return f"{number:g}" if number is not None and 1 <= number <= 5 else None

    def _scores(
        self, case: Sample, question: Query, read: str | None, text: str
    ) -> dict[str, float]:
        wanted = float(question.gold)
        error = abs(float(read) - wanted) if read is not None else max(wanted - 1, 5 - wanted)
        return {"error": error} | _used_before(case, read)


@dataclass(frozen=True)
class LampText(LampTask):
    """A text in the user's style, by ROUGE as the official evaluation has it: without a stemmer."""

    @property
    def metrics(self) -> Sequence[Metric]:
        rouge = Mean("ROUGE-1", "rouge1"), Mean("ROUGE-L", "rougeL")
        return *rouge, Mean("Persona-F1", "persona_f1"), FAITHFUL

    def read(self, question: Query, text: str) -> str | None:
        """The answer itself, unless it is empty."""
        return text.strip() or None

    def _scores(
        self, case: Sample, question: Query, read: str | None, text: str
    ) -> dict[str, float]:
        answer = read or ""
        overlap = _rouge().score(question.gold, answer)
        scores = {name: float(overlap[name].fmeasure) for name in ("rouge1", "rougeL")}
        own = [each.ground_truth or each.query for each in case.history]
        scores["persona_f1"] = persona_f1(answer, own)
        share = faithfulness(answer, [question.query, *own])
        return scores if share is None else scores | {"faithfulness": share}


def label_metrics(labels: tuple[str, ...]) -> tuple[Metric, ...]:
    """Accuracy, macro-F1, and the accuracy of answers that are a bare label, as officially read."""
    return Mean("accuracy", "correct"), MacroF1(labels), Mean("exact accuracy", "exact")


def label_scores(question: Query, read: str | None, text: str) -> dict[str, float]:
    """The scores of ``label_metrics``."""
    right = {"correct": read == question.gold, "exact": text.strip() == question.gold}
    return {name: float(value) for name, value in right.items()}


def _used_before(case: Sample, read: str | None) -> dict[str, float]:
    """Whether the user has ever given this label: faithfulness, where there is a history at all."""
    used = {each.ground_truth for each in case.history}
    return {"faithfulness": float(read in used)} if used else {}


def episode(
    task: str, user_id: str, number: int, query: str, truth: str | None, moment: datetime
) -> Episode:
    """The ``number``-th episode of a history."""
    return Episode(
        id=f"{task}-{number}",
        user_id=user_id,
        query=query,
        response="",
        ground_truth=truth,
        task=task,
        created_at=moment,
        source="lamp",
    )


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # imports nltk

    return RougeScorer(["rouge1", "rougeL"])


MOVIES = Form(
    "Which tag does this movie relate to among the following tags? Just answer with the tag name "
    f"without further explanation. tags: [{', '.join(MOVIE_TAGS)}] description:",
    "description",
    "tag",
)
NEWS = Form(
    "Which category does this article relate to among the following categories? Just answer with "
    "the category name without further explanation. "
    f"categories: [{', '.join(NEWS_CATEGORIES)}] article:",
    "text",
    "category",
)
REVIEWS = Form(
    "What is the score of the following review on a scale of 1 to 5? just answer with 1, 2, 3, 4, "
    "or 5 without further explanation. review:",
    "text",
    "score",
)
HEADLINES = Form("Generate a headline for the following article:", "text", "title")
TITLES = Form("Generate a title for the following abstract of a paper:", "abstract", "title")
SUBJECTS = Form("Generate a subject for the following email:", "text", "title")
TWEETS = Form("", "text", None)
"""Its profiles hold nothing that was asked, only what the user wrote."""

TASKS: tuple[LampTask, ...] = (
    LampLabels("LaMP_2N", NEWS, NEWS_CATEGORIES),
    LampLabels("LaMP_2M", MOVIES, MOVIE_TAGS),
    LampLabels("LaMP_2M_style", MOVIES, MOVIE_TAGS),
    LampRating("LaMP_3", REVIEWS),
    LampRating("LaMP_3_style", REVIEWS),
    LampText("LaMP_4", HEADLINES),
    LampText("LaMP_5", TITLES),
    LampText("LaMP_6", SUBJECTS),
    LampText("LaMP_7", TWEETS),
)
