"""A mean with its confidence interval."""

from collections.abc import Sequence

import numpy as np

from personaagent.core.records import Record
from personaagent.scorecard.bootstrap import draws, percentiles, resample


class Estimate(Record):
    """A mean and its 95% interval, from ``low`` to ``high``."""

    mean: float
    low: float
    high: float


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value, with its percentile bootstrap interval.

    For differences in pairs, this is the paired bootstrap.
    """
    column = np.asarray(values, dtype=float)[:, None]
    low, high = percentiles(resample(draws, column)[:, 0] / len(values))
    return Estimate(mean=float(np.mean(values)), low=low, high=high)
