"""What a metric is: a number computed from sums over answers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from personaagent.scorecard.bootstrap import Array


class Outcome(NamedTuple):
    """A scored answer.

    ``gold`` is the wanted answer and ``read`` the answer as it was read; None: unreadable.
    ``confidence`` is the probability that the solver gave its answer; None if it gave none.
    """

    user_id: str
    gold: str
    read: str | None
    scores: Mapping[str, float]
    confidence: float | None = None


class Metric(ABC):
    """A number over many answers, computed from sums over them.

    A bootstrap needs only the sums: it draws users and adds theirs. ``higher`` tells whether more is
    better.
    """

    name: str
    higher: bool

    @abstractmethod
    def terms(self, outcome: Outcome) -> Sequence[float]:
        """What the outcome adds to the sums; the same number of terms for every outcome."""

    @abstractmethod
    def of(self, sums: Array) -> Array:
        """The metric from sums in the last dimension; nan where the sums contain no answer."""

    def over(self, outcomes: Sequence[Outcome]) -> float:
        """The metric over at least one outcome."""
        return float(self.of(np.sum([self.terms(outcome) for outcome in outcomes], axis=0)))
