"""The metrics: mean and root mean square of a score, and macro-F1 over fixed labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personaagent.eval.metrics.protocol import Metric, Outcome
from personaagent.scorecard.bootstrap import Array


@dataclass(frozen=True)
class Mean(Metric):
    """The mean of the score ``score``, over the outcomes that have one."""

    name: str
    score: str
    higher: bool = True

    def terms(self, outcome: Outcome) -> Sequence[float]:
        score = outcome.scores.get(self.score)
        return (0.0, 0.0) if score is None else (score, 1.0)

    def of(self, sums: Array) -> Array:
        return _ratio(sums[..., 0], sums[..., 1])


@dataclass(frozen=True)
class RootMeanSquare(Metric):
    """The root of the mean of the squares of the score ``score``; less is better."""

    name: str
    score: str
    higher: bool = False

    def terms(self, outcome: Outcome) -> Sequence[float]:
        score = outcome.scores.get(self.score)
        return (0.0, 0.0) if score is None else (score * score, 1.0)

    def of(self, sums: Array) -> Array:
        return np.sqrt(_ratio(sums[..., 0], sums[..., 1]))


@dataclass(frozen=True)
class MacroF1(Metric):
    """The mean F1 over ``labels``; a label that is neither wanted nor answered counts 0, as in LaMP.

    An answer that is no label counts as wrong for the wanted label only. The same as
    ``sklearn.metrics.f1_score(..., labels=labels, average="macro", zero_division=0)``.
    """

    labels: tuple[str, ...]
    name: str = "macro-F1"
    higher: bool = True

    def terms(self, outcome: Outcome) -> Sequence[float]:
        """For each label: whether it was answered correctly, then how often wanted or answered."""
        gold, read = outcome.gold, outcome.read
        correct = [float(gold == label == read) for label in self.labels]
        return correct + [float((gold == label) + (read == label)) for label in self.labels]

    def of(self, sums: Array) -> Array:
        correct, named = np.split(sums, 2, axis=-1)
        f1: Array = np.nan_to_num(_ratio(2 * correct, named)).mean(axis=-1)
        return f1


def _ratio(numerator: Array, denominator: Array) -> Array:
    """The quotient; nan where the denominator is 0."""
    no_answer = np.full(np.shape(numerator), np.nan)
    ratio: Array = np.divide(numerator, denominator, out=no_answer, where=denominator > 0)
    return ratio
