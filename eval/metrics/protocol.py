"""What a metric is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from personaagent.scorecard.bootstrap import Array


class Outcome(NamedTuple):
    """One scored answer: whose, what was wanted, how it was read (None: unparsable), its scores."""

    user_id: str
    gold: str
    read: str | None
    scores: Mapping[str, float]


class Metric(ABC):
    """A number over many answers that is computed from sums over them.

    Sums are all that a bootstrap needs: it draws users, and adds up. ``higher`` says whether more
    is better.
    """

    name: str
    higher: bool

    @abstractmethod
    def terms(self, outcome: Outcome) -> Sequence[float]:
        """What the outcome adds to the sums; as many numbers for each outcome."""

    @abstractmethod
    def of(self, sums: Array) -> Array:
        """The metric from sums in the last dimension; nan where they are of no answer."""

    def over(self, outcomes: Sequence[Outcome]) -> float:
        """The metric over at least one outcome."""
        return float(self.of(np.sum([self.terms(outcome) for outcome in outcomes], axis=0)))
