"""What the names of answers say: how near each is to the question or to the user's history."""

from collections.abc import Mapping, Sequence
from math import exp

from personaagent.nodes.decision.defaults import TEMPERATURE


def name_votes(cosines: Mapping[str, float]) -> dict[str, float]:
    """The softmax over the answers of ``TEMPERATURE`` times the cosine of each.

    For labels that is the cosine of the question and the answer's name; for options the greatest
    cosine of the option's text and what the user wrote earlier.
    """
    highest = max(cosines.values())
    powers = {y: exp(TEMPERATURE * (cosine - highest)) for y, cosine in cosines.items()}
    total = sum(powers.values())
    return {y: power / total for y, power in powers.items()}


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two embeddings, which have length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))
