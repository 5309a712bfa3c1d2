"""What the user's numbers say: each spreads over its neighbours, because 4 stars are nearly 5."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp

from personaagent.memory.label_counts import LabelCounts, is_short
from personaagent.nodes.decision.defaults import PRIOR, SPREAD
from personaagent.nodes.decision.history_votes import weighted_tokens


def number_votes(
    answers: Sequence[str], counts: LabelCounts, half_life: float = 0.0
) -> dict[str, float]:
    """The probability of each number by the user's earlier numbers (ordinal smoothing).

    Each earlier number spreads over the answers as a normal density of ``SPREAD`` steps; ``PRIOR``
    labels are spread evenly.

    Args:
        answers: the possible numbers, as text.
        counts: all of the user's labels of the task.
        half_life: as of ``Weights``.
    """
    step, total = step_of(answers), PRIOR
    votes = dict.fromkeys(answers, PRIOR / len(answers))
    for token, weight in weighted_tokens(counts, half_life):
        if is_short(token):
            total += weight
            for answer, share in _spread(float(token), answers, step).items():
                votes[answer] += weight * share
    return {answer: vote / total for answer, vote in votes.items()}


def median_of(probabilities: Mapping[str, float]) -> str:
    """The predictive median of numbers: what has the least expected absolute error."""
    numbers = sorted(probabilities, key=float)
    below, half = 0.0, sum(probabilities.values()) / 2
    for number in numbers:
        below += probabilities[number]
        if below >= half:
            return number
    return numbers[-1]


def shifted(probabilities: Mapping[str, float], offset: float) -> dict[str, float]:
    """The distribution moved by ``offset``; what falls between two answers is shared by both.

    What falls beyond the lowest or the highest answer counts for that one.
    """
    answers = sorted(probabilities, key=float)
    moved = dict.fromkeys(probabilities, 0.0)
    for answer, probability in probabilities.items():
        for neighbour, share in _between(float(answer) + offset, answers):
            moved[neighbour] += probability * share
    return moved


def step_of(answers: Sequence[str]) -> float:
    """The step of the scale: the least distance of two answers."""
    values = sorted(map(float, answers))
    return min(b - a for a, b in pairwise(values) if b > a)


def _spread(value: float, answers: Sequence[str], step: float) -> dict[str, float]:
    distances = {answer: (float(answer) - value) / (step * SPREAD) for answer in answers}
    nearest = min(map(abs, distances.values()))
    density = {y: exp(-(d * d - nearest * nearest) / 2) for y, d in distances.items()}
    total = sum(density.values())
    return {y: each / total for y, each in density.items()}


def _between(value: float, answers: Sequence[str]) -> list[tuple[str, float]]:
    """The answers next to ``value``, lowest first, and the share of each."""
    if value <= float(answers[0]):
        return [(answers[0], 1.0)]
    for low, high in pairwise(answers):
        if value <= float(high):
            share = (value - float(low)) / (float(high) - float(low))
            return [(low, 1 - share), (high, share)]
    return [(answers[-1], 1.0)]
