"""The words of decisions as types: a closed question, what each source says of it, and the decision."""

from typing import Literal

from pydantic import Field

from personaagent.core.records import Record

QuestionKind = Literal["labels", "numbers", "options"]
SourceName = Literal["history", "model", "names"]
DECIDED = "decision"
"""Where an episode's metadata keeps a ``Decided``."""


class ClosedQuestion(Record):
    """A question whose answer comes from a set.

    Args:
        kind: what the answers are: the user's labels, numbers, or options listed in the question.
        answers: the set, in the order of the question or, for labels, most frequent first. Of options
            these are the marks (``[1]``, ``A``) that an answer gives.
        texts: what each option says, in the order of ``answers``; empty for labels and numbers.
        task: the task whose labels are the history; None if the history has none of its kind.
        instruction: what all queries of the task begin with; empty if they share nothing.
    """

    kind: QuestionKind
    answers: list[str] = Field(min_length=2)
    texts: list[str] = Field(default_factory=list)
    task: str | None = None
    instruction: str = ""


class Source(Record):
    """What one source says: a probability for each answer, and its weight in the decision."""

    name: SourceName
    weight: float
    probabilities: dict[str, float]


class Decision(Record):
    """The distribution over the answers of a closed question, and the answer chosen.

    ``log p(y) = sum over sources of weight * log p_source(y)``, normalised, with weights that sum to
    a constant of the kind. ``applied`` says whether ``answer`` replaced the model's text; if not, it
    only stands beside a text that says more.
    ``recent_history`` is what the history says where recent labels count more. Only alignment's
    simulations hold it, so that recency can be fitted without another call; likewise
    ``chosen_before``, the answers that occur among the labels which the decision could count.
    """

    question: ClosedQuestion
    answer: str
    probabilities: dict[str, float]
    sources: list[Source]
    applied: bool = True
    reason: str = ""
    recent_history: dict[str, float] | None = None
    chosen_before: list[str] | None = None

    @property
    def confidence(self) -> float:
        """The probability of the answer."""
        return self.probabilities[self.answer]


class Decided(Record):
    """What an episode keeps of its decision, in its metadata under ``DECIDED``: the answer, what that
    says where it is the mark of an option, and how sure it was."""

    answer: str
    text: str = ""
    probability: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, decision: Decision) -> "Decided":
        """What to keep of this decision."""
        texts = dict(zip(decision.question.answers, decision.question.texts, strict=False))
        answer = decision.answer
        return cls(answer=answer, text=texts.get(answer, ""), probability=decision.confidence)
