"""Resampling of users, which every interval is based on.

Whole users are drawn (cluster bootstrap), or swapped between two conditions (paired permutation). The
same values always give the same figures.

Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 15; Cameron,
Gelbach and Miller, Review of Economics and Statistics 90(3), 2008, for clusters.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

RESAMPLES = 10_000
BLOCK_SIZE = 1_000_000
"""Users drawn in one block: 1 MB."""
CACHED_BLOCKS = 64
MAX_COUNT = 255
"""How often one user can be drawn in one resample; more never happens in practice."""

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.uint8]]


def resample(counts: Callable[[int], Iterator[Counts]], sums: Array) -> Array:
    """The sums over all users in each resample, of shape ``(resamples, terms)``.

    ``sums`` has the shape ``(users, terms)``; ``counts`` is ``draws`` or ``swaps``.
    """
    return np.concatenate([block.astype(float) @ sums for block in counts(len(sums))])


def draws(users: int) -> Iterator[Counts]:
    """How often each user is drawn, in blocks of shape ``(resamples, users)``."""
    for begin, count in _blocks(users):
        yield _draw_block(users, begin, count)


def swaps(users: int) -> Iterator[Counts]:
    """Which users are swapped (1), in blocks of shape ``(resamples, users)``."""
    for begin, count in _blocks(users):
        yield _swap_block(users, begin, count)


def _blocks(users: int) -> Iterator[tuple[int, int]]:
    """The first resample of each block, and how many it has."""
    size = max(1, min(RESAMPLES, BLOCK_SIZE // users))
    for begin in range(0, RESAMPLES, size):
        yield begin, min(size, RESAMPLES - begin)


@lru_cache(maxsize=CACHED_BLOCKS)  # callers often resample the same number of users again
def _draw_block(users: int, begin: int, count: int) -> Counts:
    drawn = np.random.default_rng([begin, 0]).integers(0, users, (count, users))
    places = drawn + users * np.arange(count)[:, None]
    counts = np.bincount(places.ravel(), minlength=count * users).reshape(count, users)
    return np.minimum(counts, MAX_COUNT).astype(np.uint8)


@lru_cache(maxsize=CACHED_BLOCKS)
def _swap_block(users: int, begin: int, count: int) -> Counts:
    return np.random.default_rng([begin, 1]).integers(0, 2, (count, users), dtype=np.uint8)


def percentiles(values: Array) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the values that are not nan; nan if there is none."""
    known = values[~np.isnan(values)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return float(low), float(high)
