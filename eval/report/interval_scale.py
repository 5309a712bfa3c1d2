"""The common scale on which the report draws intervals, in SVG units."""

from collections.abc import Sequence
from typing import NamedTuple

from personaagent.scorecard.estimate import Estimate

WIDTH = 180
MARGIN = 8


class IntervalScale(NamedTuple):
    """A scale from ``low`` to ``high`` that is WIDTH units wide."""

    low: float
    high: float

    @classmethod
    def of(cls, estimates: Sequence[Estimate]) -> "IntervalScale":
        """The smallest scale that contains 0 and all intervals."""
        low = min((estimate.low for estimate in estimates), default=0.0)
        high = max((estimate.high for estimate in estimates), default=1.0)
        low, high = min(low, 0.0), max(high, 0.0)
        return cls(low, high if high > low else low + 1.0)

    def position(self, value: float) -> float:
        """The position of the value, in units from the left."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 2)

    @property
    def width(self) -> int:
        """The width of the scale in units."""
        return WIDTH
