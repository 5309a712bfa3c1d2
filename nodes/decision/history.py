"""What the user's history says of a closed question: its labels, by kind and by likeness."""

from collections.abc import Sequence

from personaagent.core.decision import ClosedQuestion
from personaagent.core.weights import Weights
from personaagent.memory.label_counts import LabelCounts
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.nodes.alignment.answer_scores import bare_label
from personaagent.nodes.decision.history_votes import flattened, history_votes, likeness
from personaagent.nodes.decision.number_votes import number_votes

TRUTH_WORDS = frozenset({
    "yes", "no", "true", "false", "correct", "incorrect", "right", "wrong", "ja", "nein", "wahr",
    "falsch", "richtig", "sí", "si", "verdadero", "falso", "oui", "non", "vrai", "faux", "vero", "sim",
    "não", "verdadeiro", "nee", "waar", "onwaar", "nej", "sant", "falskt", "да", "нет", "верно",
    "неверно", "はい", "いいえ", "是", "否", "对", "错", "예", "아니요", "نعم", "لا", "हाँ", "नहीं",
})  # fmt: skip
"""How often one of these was right says nothing of what is true now; only much the same question does."""


def are_truth_values(answers: Sequence[str]) -> bool:
    """Whether all of the answers say whether something is true."""
    return all(bare_label(answer) in TRUTH_WORDS for answer in answers)


def history_of(
    question: ClosedQuestion,
    counts: LabelCounts | None,
    similar: Sequence[SimilarLabel],
    weights: Weights,
) -> dict[str, float] | None:
    """The probability of each answer by the user's labels; None where they say nothing.

    The less the question is like the history (``likeness``), the flatter.
    """
    if counts is None or not counts.counts or question.kind == "options":
        return None
    truth = are_truth_values(question.answers)
    if question.kind == "numbers":
        votes = number_votes(question.answers, counts, weights.half_life)
    else:
        votes = history_votes(
            question.answers, counts, similar, weights.half_life, with_prior=not truth
        )
    alike = likeness(similar, same_instruction=bool(question.instruction) and not truth)
    return flattened(votes, alike)
