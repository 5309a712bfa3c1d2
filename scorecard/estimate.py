"""A mean, and how sure it is."""

from collections.abc import Sequence

import numpy as np

from personaagent.core.records import Record
from personaagent.scorecard.bootstrap import draws, percentiles, resampled


class Estimate(Record):
    """A mean and its 95% interval, from ``low`` to ``high``."""

    mean: float
    low: float
    high: float


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value, with the percentile bootstrap interval.

    Of differences in pairs it is the paired bootstrap.
    """
    each = np.asarray(values, dtype=float)[:, None]
    low, high = percentiles(resampled(draws, each)[:, 0] / len(values))
    return Estimate(mean=float(np.mean(values)), low=low, high=high)
