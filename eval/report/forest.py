"""Intervals drawn side by side on one scale, as SVG that takes the colours of the page."""

from collections.abc import Sequence
from typing import NamedTuple

from personaagent.scorecard.estimate import Estimate

WIDTH = 180
MARGIN = 8


class Forest(NamedTuple):
    """A scale from ``low`` to ``high`` over WIDTH units."""

    low: float
    high: float

    @classmethod
    def of(cls, estimates: Sequence[Estimate]) -> "Forest":
        """The scale that has room for all of them."""
        low = min((each.low for each in estimates), default=0.0)
        high = max((each.high for each in estimates), default=1.0)
        return cls(low, high if high > low else low + 1.0)

    def place(self, value: float) -> float:
        """Where the value stands, in units from the left."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 2)

    @property
    def width(self) -> int:
        """Units in all."""
        return WIDTH
