"""LaMP: classification (2N, 2M), rating (3), and texts in the user's style (4 to 7)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from personaagent.core.extras import requires_extra
from personaagent.core.records import Episode
from personaagent.eval.metrics.calibration import CalibrationError
from personaagent.eval.metrics.personal import faithfulness, persona_f1
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.metrics.scores import MacroF1, Mean, RootMeanSquare
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.tasks import lamp_forms as forms
from personaagent.eval.tasks.files import data_errors
from personaagent.eval.tasks.lamp_files import PUBLISHED, LampQuestion, read_questions
from personaagent.eval.tasks.lamp_forms import ProfileForm
from personaagent.eval.tasks.protocol import Score
from personaagent.models.chat import Models
from personaagent.nodes.alignment.answer_scores import ANSWER_WORDS, number_in, said_label

FAITHFULNESS = Mean("faithfulness", "faithfulness")


@dataclass(frozen=True)
class LampTask(ABC):
    """What the tasks have in common: each question is a sample, its profile the history."""

    name: str
    form: ProfileForm
    labels: tuple[str, ...] = ()
    answers = True

    @property
    @abstractmethod
    def metrics(self) -> Sequence[Metric]:
        """In the order of the table; comparisons use the first."""

    def samples(self, data: Path, seed: int) -> Iterator[Sample]:
        """Yield the samples; nothing is shuffled. No history contains its question or later items."""
        folder = data / "lamp" / self.name
        for question in read_questions(folder):
            with data_errors(folder / "questions.json", PUBLISHED):
                sample = Sample(
                    id=question.id,
                    task=self.name,
                    user_id=question.user_id,
                    history=self._history(question),
                    queries=[_query(question)],
                )
            yield sample

    def _history(self, question: LampQuestion) -> list[Episode]:
        """One episode for each item, oldest first; items without a date keep the file's order."""
        history = []
        for number, item in enumerate(question.profile, 1):
            query = f"{self.form.ask} {item.fields[self.form.text]}".strip()
            truth = None if self.form.truth is None else str(item.fields[self.form.truth])
            created_at = item.date or datetime.fromtimestamp(number, UTC)
            if query not in (question.input, question.gold):
                history.append(
                    episode(self.name, question.user_id, number, query, truth, created_at)
                )
        return history

    @abstractmethod
    def read(self, query: Query, text: str) -> str | None:
        """Read the answer; None if it cannot be read."""

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """Score by exact metrics; no model is called."""
        read = self.read(query, output.text or "")
        return Score(read=read, scores=self._scores(sample, query, read, output.text or ""))

    @abstractmethod
    def _scores(
        self, sample: Sample, query: Query, read: str | None, text: str
    ) -> dict[str, float]: ...


@dataclass(frozen=True)
class LampLabels(LampTask):
    """A label from a fixed list; any other answer is wrong, as in the official evaluation."""

    @property
    def metrics(self) -> Sequence[Metric]:
        return *label_metrics(self.labels), FAITHFULNESS

    def read(self, query: Query, text: str) -> str | None:
        """The label that the answer is or contains; officially only the bare label counts (``exact``)."""
        return said_label(text, self.labels)

    def _scores(
        self, sample: Sample, query: Query, read: str | None, text: str
    ) -> dict[str, float]:
        return label_scores(query, read, text) | _used_before(sample, read)


@dataclass(frozen=True)
class LampRating(LampTask):
    """A number from 1 to 5; any other answer counts as 1 or 5, whichever is farther from the truth."""

    labels: tuple[str, ...] = forms.STARS

    @property
    def metrics(self) -> Sequence[Metric]:
        errors = Mean("MAE", "error", higher=False), RootMeanSquare("RMSE", "error")
        return *errors, FAITHFULNESS, CalibrationError()

    def read(self, query: Query, text: str) -> str | None:
        """The first number of an answer of at most 12 words, if it is from 1 to 5."""
        number = number_in(text) if len(text.split()) <= ANSWER_WORDS else None
        return f"{number:g}" if number is not None and 1 <= number <= 5 else None

    def _scores(
        self, sample: Sample, query: Query, read: str | None, text: str
    ) -> dict[str, float]:
        gold = float(query.gold)
        error = abs(float(read) - gold) if read is not None else max(gold - 1, 5 - gold)
        return {"error": error} | _used_before(sample, read)


@dataclass(frozen=True)
class LampText(LampTask):
    """A text in the user's style, scored by ROUGE without a stemmer, as in the official evaluation."""

    @property
    def metrics(self) -> Sequence[Metric]:
        rouge = Mean("ROUGE-1", "rouge1"), Mean("ROUGE-L", "rougeL")
        return *rouge, Mean("Persona-F1", "persona_f1"), FAITHFULNESS

    def read(self, query: Query, text: str) -> str | None:
        """The answer itself, unless it is empty."""
        return text.strip() or None

    def _scores(
        self, sample: Sample, query: Query, read: str | None, text: str
    ) -> dict[str, float]:
        answer = read or ""
        overlap = _rouge().score(query.gold, answer)
        scores = {name: float(overlap[name].fmeasure) for name in ("rouge1", "rougeL")}
        own_texts = [each.ground_truth or each.query for each in sample.history]
        scores["persona_f1"] = persona_f1(answer, own_texts)
        share = faithfulness(answer, [query.text, *own_texts])
        return scores if share is None else scores | {"faithfulness": share}


def _query(question: LampQuestion) -> Query:
    return Query(
        id=question.id,
        text=question.input,
        gold=question.gold,
        details={"date": question.date.isoformat()} if question.date else {},
    )


def label_metrics(labels: tuple[str, ...]) -> tuple[Metric, ...]:
    """Accuracy, macro-F1, the accuracy if only a bare label counts, as officially, and calibration."""
    accuracy, exact = Mean("accuracy", "correct"), Mean("exact accuracy", "exact")
    return accuracy, MacroF1(labels), exact, CalibrationError()


def label_scores(query: Query, read: str | None, text: str) -> dict[str, float]:
    """The scores of ``label_metrics``."""
    return {"correct": float(read == query.gold), "exact": float(text.strip() == query.gold)}


def _used_before(sample: Sample, read: str | None) -> dict[str, float]:
    """Faithfulness: whether the user has ever used this label; no score without a history."""
    used_labels = {each.ground_truth for each in sample.history}
    return {"faithfulness": float(read in used_labels)} if used_labels else {}


def episode(
    task: str, user_id: str, number: int, query: str, truth: str | None, created_at: datetime
) -> Episode:
    """Episode ``number`` of a history."""
    return Episode(
        id=f"{task}-{number}",
        user_id=user_id,
        query=query,
        response="",
        ground_truth=truth,
        task=task,
        created_at=created_at,
        source="lamp",
    )


@cache
def _rouge() -> Any:
    with requires_extra("eval", "LaMP's metric"):
        from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rougeL"])


TASKS: tuple[LampTask, ...] = (
    LampLabels("LaMP_2N", forms.NEWS, forms.NEWS_CATEGORIES),
    LampLabels("LaMP_2M", forms.MOVIES, forms.MOVIE_TAGS),
    LampLabels("LaMP_2M_style", forms.MOVIES, forms.MOVIE_TAGS),
    LampRating("LaMP_3", forms.REVIEWS),
    LampRating("LaMP_3_style", forms.REVIEWS),
    LampText("LaMP_4", forms.HEADLINES),
    LampText("LaMP_5", forms.TITLES),
    LampText("LaMP_6", forms.SUBJECTS),
    LampText("LaMP_7", forms.TWEETS),
)
