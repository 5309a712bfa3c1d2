"""What the user's labels say: votes of the nearest, smoothed toward the user's prior."""

from collections.abc import Mapping, Sequence
from math import exp

from personaagent.memory.label_counts import LabelCounts
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.nodes.decision.defaults import PRIOR, PRIOR_VOTES, SHARPNESS
from personaagent.nodes.decision.spelling import AnswerOf

NEAR, FAR = 0.4, 0.15
"""Cosines of the nearest label from which the history counts in full, and below which not at all."""


def history_votes(
    answers: Sequence[str],
    counts: LabelCounts,
    similar: Sequence[SimilarLabel] = (),
    half_life: float = 0.0,
    *,
    with_prior: bool = True,
) -> dict[str, float]:
    """The probability of each answer by the user's history.

    ``vote(y) = (sum_i K_i [y_i = y] + a pi(y)) / (sum_i K_i + a)``, ``K_i = exp(h (cos_i - 1))``: kernel
    votes of the nearest labels, smoothed by the prior. Labels that are no answer do not count.

    Args:
        answers: the possible answers.
        counts: all of the user's labels of the task.
        similar: those nearest to the question; with none, the prior alone.
        half_life: as of ``Weights``.
        with_prior: whether the prior is the user's, or even.
    """
    even = dict.fromkeys(answers, 1 / len(answers))
    prior = prior_of(answers, counts, half_life) if with_prior else even
    answer_of, votes = AnswerOf(answers), dict.fromkeys(answers, 0.0)
    for label in similar:
        if answer := answer_of.get(label.token):
            votes[answer] += kernel(label, counts, half_life)
    total = sum(votes.values()) + PRIOR_VOTES
    return {y: (votes[y] + PRIOR_VOTES * prior[y]) / total for y in answers}


def prior_of(
    answers: Sequence[str], counts: LabelCounts, half_life: float = 0.0
) -> dict[str, float]:
    """``pi(y) = (n_y + k / |Y|) / (n + k)``: how often the user chose each answer, smoothed."""
    answer_of, chosen = AnswerOf(answers), dict.fromkeys(answers, 0.0)
    for token, weight in weighted_tokens(counts, half_life):
        if answer := answer_of.get(token):
            chosen[answer] += weight
    total = sum(chosen.values()) + PRIOR
    return {y: (chosen[y] + PRIOR / len(answers)) / total for y in answers}


def weighted_tokens(counts: LabelCounts, half_life: float = 0.0) -> list[tuple[str, float]]:
    """The tokens and how much they count; with a half-life, each of the latest labels by its rank."""
    if not half_life:
        return [(token, float(count)) for token, count in counts.counts.items()]
    return [(label.token, 0.5 ** (rank / half_life)) for rank, label in enumerate(counts.latest)]


def kernel(label: SimilarLabel, counts: LabelCounts, half_life: float = 0.0) -> float:
    """How much the vote of a label counts: by its cosine to the question, and by its age."""
    newer = sum(each.at > label.at for each in counts.latest) if half_life else 0
    age = 0.5 ** (newer / half_life) if half_life else 1.0
    return exp(SHARPNESS * (label.cosine - 1)) * age


def likeness(similar: Sequence[SimilarLabel], *, same_instruction: bool) -> float:
    """How much the question is like the history, from 0 to 1: by the nearest label.

    A question that shares the instruction of the task is like it, whatever it is about.
    """
    if same_instruction:
        return 1.0
    return nearness(max((label.cosine for label in similar), default=FAR))


def nearness(cosine: float) -> float:
    """From 0 at a cosine of ``FAR`` to 1 at ``NEAR``."""
    return min(1.0, max(0.0, (cosine - FAR) / (NEAR - FAR)))


def flattened(probabilities: Mapping[str, float], share: float) -> dict[str, float]:
    """``share`` of these probabilities, and an even distribution for the rest."""
    even = (1 - share) / len(probabilities)
    return {y: share * p + even for y, p in probabilities.items()}
