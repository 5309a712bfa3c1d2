"""The metrics: means and roots of scores, and macro-F1 over a fixed list of labels."""

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
        return _share(sums[..., 0], sums[..., 1])


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
        return np.sqrt(_share(sums[..., 0], sums[..., 1]))


@dataclass(frozen=True)
class MacroF1(Metric):
    """The mean of F1 over ``labels``: 0 for one neither wanted nor answered, as in LaMP.

    An answer that is none of them is wrong for the label that was wanted, and counts nowhere else.
    The same as ``sklearn.metrics.f1_score(..., labels=labels, average="macro", zero_division=0)``.
    """

    labels: tuple[str, ...]
    name: str = "macro-F1"
    higher: bool = True

    def terms(self, outcome: Outcome) -> Sequence[float]:
        """For each label: whether it was rightly answered, and how often wanted or answered."""
        gold, read = outcome.gold, outcome.read
        right = [float(gold == label == read) for label in self.labels]
        return right + [float((gold == label) + (read == label)) for label in self.labels]

    def of(self, sums: Array) -> Array:
        right, named = np.split(sums, 2, axis=-1)
        f1: Array = np.nan_to_num(_share(2 * right, named)).mean(axis=-1)
        return f1


def _share(part: Array, whole: Array) -> Array:
    """``part / whole``, nan where there is nothing."""
    share: Array = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return share
