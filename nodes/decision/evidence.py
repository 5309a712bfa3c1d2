"""What the user's nearest labels say, in words for the prompt."""

from collections import Counter
from collections.abc import Sequence

from personaagent.core.decision import ClosedQuestion
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.nodes.decision.listed import listed_labels
from personaagent.nodes.decision.spelling import AnswerOf
from personaagent.prompts.fence import fence

SHOWN = 10
"""How many of the nearest labels are told."""


def evidence(question: ClosedQuestion, similar: Sequence[SimilarLabel]) -> str:
    """ "Of the 10 most similar, this user chose: comedy (4), action (3)."; empty without any.

    Numbers are not told: right before its answer they keep a small model from reading the question (its
    distribution becomes nearly even, docs/measured.md), and they vote anyway.
    """
    if question.kind == "numbers":
        return ""
    spelling = AnswerOf(question.answers)
    nearest = [answer for label in similar[:SHOWN] if (answer := spelling.get(label.token))]
    if not nearest:
        return ""
    counted = ", ".join(f"{y} ({n})" for y, n in Counter(nearest).most_common())
    return fence("facts", f"Of the {len(nearest)} most similar, this user chose: {counted}.")


def possible_answers(question: ClosedQuestion, query: str) -> str:
    """The answers in a line, a line each for those that would run together; not those that ``query``
    itself lists as a long list."""
    if [*map(str.casefold, question.answers)] == [*map(str.casefold, listed_labels(query))]:
        return "those listed above"
    separator = "\n" if any("," in answer for answer in question.answers) else ", "
    return separator.join(question.answers)
