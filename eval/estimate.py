"""A mean and a difference with 95% intervals and p, by resampling whole users.

A user's answers depend on each other, so whole users are drawn (cluster bootstrap), and swapped
between two methods (paired permutation). The same outcomes give the same figures. SciPy's
``bootstrap`` and ``permutation_test`` over the indices of users give the same bounds and take 3.5
times as long (20 methods, 100 users): here the drawn counts are one matrix, kept for all methods.

Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 15; Cameron,
Gelbach and Miller, Review of Economics and Statistics 90(3), 2008, for clusters; Phipson and Smyth,
Statistical Applications in Genetics and Molecular Biology 9(1), 2010, for the p-value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from personaagent.core.records import Record
from personaagent.eval.metrics.protocol import Array, Metric, Outcome

RESAMPLES = 10_000
ROUNDING = 1e-12
"""Differences nearer to each other than this are the same."""
DRAWN_AT_ONCE = 1_000_000
"""Users drawn in one block: 1 MB."""
BLOCKS_KEPT = 64
MOST_DRAWN = 255
"""Of one user in one resample: more than will ever be."""

Counts = np.ndarray[Any, np.dtype[np.uint8]]


class Estimate(Record):
    """A mean and its 95% interval, from ``low`` to ``high``."""

    mean: float
    low: float
    high: float


class Difference(Estimate):
    """A difference, its 95% interval, and the two-sided ``p`` of the null hypothesis."""

    p: float


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value, with the percentile bootstrap interval.

    Of differences in pairs it is the paired bootstrap.
    """
    each = np.asarray(values, dtype=float)[:, None]
    low, high = _percentiles(_resampled(_draws, each)[:, 0] / len(values))
    return Estimate(mean=float(np.mean(values)), low=low, high=high)


def interval(metric: Metric, outcomes: Sequence[Outcome]) -> Estimate:
    """The metric over at least one outcome, with the interval of the bootstrap over users.

    So many users as there are are drawn with replacement, each with all its outcomes, 10,000 times.
    """
    sums = np.array([*_by_user(metric, outcomes).values()])
    low, high = _percentiles(metric.of(_resampled(_draws, sums)))
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
    low, high = _percentiles(
        metric.of(_resampled(_draws, first)) - metric.of(_resampled(_draws, second))
    )
    moved = _resampled(_swaps, second - first)
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


def _resampled(weights: Callable[[int], Iterator[Counts]], sums: Array) -> Array:
    """The sums over all users in each resample, as ``(resamples, terms)``."""
    return np.concatenate([block.astype(float) @ sums for block in weights(len(sums))])


def _draws(users: int) -> Iterator[Counts]:
    """How often each user is drawn, as ``(resamples, users)`` in blocks."""
    for begin, count in _blocks(users):
        yield _drawn(users, begin, count)


def _swaps(users: int) -> Iterator[Counts]:
    """Which users are swapped (1), as ``(resamples, users)`` in blocks."""
    for begin, count in _blocks(users):
        yield _swapped(users, begin, count)


def _blocks(users: int) -> Iterator[tuple[int, int]]:
    """Where each block begins, and how many resamples are in it."""
    size = max(1, min(RESAMPLES, DRAWN_AT_ONCE // users))
    for begin in range(0, RESAMPLES, size):
        yield begin, min(size, RESAMPLES - begin)


@lru_cache(maxsize=BLOCKS_KEPT)  # every method of a task is resampled over as many users
def _drawn(users: int, begin: int, count: int) -> Counts:
    drawn = np.random.default_rng([begin, 0]).integers(0, users, (count, users))
    places = drawn + users * np.arange(count)[:, None]
    counts = np.bincount(places.ravel(), minlength=count * users).reshape(count, users)
    return np.minimum(counts, MOST_DRAWN).astype(np.uint8)


@lru_cache(maxsize=BLOCKS_KEPT)
def _swapped(users: int, begin: int, count: int) -> Counts:
    return np.random.default_rng([begin, 1]).integers(0, 2, (count, users), dtype=np.uint8)


def _percentiles(values: Array) -> tuple[float, float]:
    """From 2.5% to 97.5% of the values that there are; nan where there are none."""
    known = values[~np.isnan(values)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return float(low), float(high)
