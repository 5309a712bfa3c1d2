"""What a metric is."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Outcome(NamedTuple):
    """One scored answer: whose, what was wanted, how it was read (None: unparsable), its scores."""

    user_id: str
    gold: str
    read: str | None
    scores: Mapping[str, float]


class Metric(Protocol):
    """A number over many answers. ``higher`` says whether more is better."""

    name: str
    higher: bool

    def over(self, outcomes: Sequence[Outcome]) -> float:
        """The metric over at least one outcome."""
        ...
