"""A mean, and how sure it is."""

from collections.abc import Sequence

import numpy as np

from personaagent.core.records import Record

RESAMPLES = 10_000


class Estimate(Record):
    """A mean and its 95% interval, from ``low`` to ``high``."""

    mean: float
    low: float
    high: float


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value, with the percentile bootstrap interval.

    Of differences in pairs it is the paired bootstrap. The same values give the same interval.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    drawn = np.random.default_rng(0).choice(np.asarray(values), (RESAMPLES, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return Estimate(mean=float(np.mean(values)), low=float(low), high=float(high))
