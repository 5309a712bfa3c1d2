"""Drawing users again and again: the resampling behind every interval.

Whole users are drawn (cluster bootstrap), or swapped between two methods (paired permutation). The
same values give the same figures.

Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 15; Cameron,
Gelbach and Miller, Review of Economics and Statistics 90(3), 2008, for clusters.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

RESAMPLES = 10_000
DRAWN_AT_ONCE = 1_000_000
"""Users drawn in one block: 1 MB."""
BLOCKS_KEPT = 64
MOST_DRAWN = 255
"""Of one user in one resample: more than will ever be."""

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.uint8]]


def resampled(weights: Callable[[int], Iterator[Counts]], sums: Array) -> Array:
    """The sums over all users in each resample, as ``(resamples, terms)``."""
    return np.concatenate([block.astype(float) @ sums for block in weights(len(sums))])


def draws(users: int) -> Iterator[Counts]:
    """How often each user is drawn, as ``(resamples, users)`` in blocks."""
    for begin, count in _blocks(users):
        yield _drawn(users, begin, count)


def swaps(users: int) -> Iterator[Counts]:
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
    found = np.bincount(places.ravel(), minlength=count * users).reshape(count, users)
    return np.minimum(found, MOST_DRAWN).astype(np.uint8)


@lru_cache(maxsize=BLOCKS_KEPT)
def _swapped(users: int, begin: int, count: int) -> Counts:
    return np.random.default_rng([begin, 1]).integers(0, 2, (count, users), dtype=np.uint8)


def percentiles(values: Array) -> tuple[float, float]:
    """From 2.5% to 97.5% of the values that there are; nan where there are none."""
    known = values[~np.isnan(values)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return float(low), float(high)
