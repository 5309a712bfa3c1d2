"""Search in the embedded index, against numpy over the same rows."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from measurement import Measurement, print_progress, quick, report_and_exit
from random_entries import Search, random_entries, random_vectors

from personaagent.core.users import user_key
from personaagent.memory.index.protocol import IndexQuery
from personaagent.memory.index.sqlite import SqliteIndex

HISTORIES = {10_000: 1.5} if quick() else {10_000: 1.5, 100_000: 3.0}
"""Episodes of one user, and how long a search may take against numpy."""
BATCH = 5_000
WARM_UP, QUERIES = 5, 60
K = 24
USER = user_key("anna")


async def measure() -> list[Measurement]:
    return [
        each for count, most in HISTORIES.items() for each in await _measure_search(count, most)
    ]


async def _measure_search(count: int, most: float) -> list[Measurement]:
    """Search the history of one user, of ``count`` episodes."""
    rng = np.random.default_rng(count)
    print_progress(f"{count:,} episodes of one user ...")
    matrix = random_vectors(rng, count)
    with TemporaryDirectory(prefix="bench-") as folder:
        index = SqliteIndex(Path(folder) / "index.sqlite")
        for start in range(0, count, BATCH):
            await index.upsert(USER, [*random_entries(rng, matrix[start : start + BATCH], start)])

        async def search(query: Search) -> None:
            dense = query.dense.tolist()
            await index.search(USER, IndexQuery(dense, query.terms, K))

        async def write_and_search(query: Search) -> None:
            await index.upsert(
                USER, [*random_entries(rng, query.dense[None], int(rng.integers(1 << 30)))]
            )
            await search(query)

        async def numpy_search(query: Search) -> None:
            scores = matrix @ query.dense
            best = np.argpartition(-scores, K)[:K]
            best[np.argsort(-scores[best])]

        [first] = await _times(rng, 1, search)
        numpy_times, times = await _times(rng, WARM_UP + QUERIES, numpy_search, search)
        [written] = await _times(rng, WARM_UP + QUERIES, write_and_search)
        await index.aclose()
    ms, numpy_ms = 1000 * median(times[WARM_UP:]), 1000 * median(numpy_times[WARM_UP:])
    name = f"{count:,} episodes of one user"
    return [
        Measurement(f"{name}: numpy alone (p50)", numpy_ms, " ms"),
        Measurement(f"{name}: hybrid search (p50)", ms, " ms"),
        Measurement(f"{name}: hybrid search against numpy", ms / numpy_ms, "x", most=most),
        Measurement(f"{name}: write and search (p50)", 1000 * median(written[WARM_UP:]), " ms"),
        Measurement(f"{name}: first search", 1000 * first[0], " ms"),
    ]


async def _times(
    rng: np.random.Generator, count: int, *calls: Callable[[Search], Awaitable[None]]
) -> list[list[float]]:
    """Seconds of ``count`` calls of each, in turns."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(count):
        query = Search.random(rng)
        for call, seconds in zip(calls, times, strict=True):
            started = time.perf_counter()
            await call(query)
            seconds.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
