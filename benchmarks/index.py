"""The embedded index: search against numpy over the same rows; forgetting and memory at 1M episodes.

Vectors are random and of length 1, terms have the frequencies of natural language (Zipf's law).
"""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from filled_home import DIMENSION, FIRST_EPISODE_AT, RandomEmbedder
from measurement import Measurement, print_progress, report_and_exit

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.index.protocol import Entry, Passage
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.nodes.dependencies import Dependencies

HISTORIES = {10_000: 1.5, 100_000: 3.0}
"""Episodes of one user, and how long a search may take against numpy."""
USERS, EPISODES_PER_USER = 1_000, 1_000
BATCH = 5_000
WARM_UP, QUERIES = 5, 60
TERMS, VOCABULARY = 12, 30_000
K = 24
USER = user_key("anna")

Vectors = np.ndarray[Any, np.dtype[np.float32]]


async def measure() -> list[Measurement]:
    measurements = [
        each for count, most in HISTORIES.items() for each in await _measure_search(count, most)
    ]
    return measurements + await _measure_many_users()


@dataclass(frozen=True)
class Search:
    """What is searched for."""

    dense: Vectors
    terms: dict[int, float]

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Search":
        return cls(_vectors(rng, 1)[0], _terms(rng))


async def _measure_search(count: int, most: float) -> list[Measurement]:
    """Search the history of one user, of ``count`` episodes."""
    rng = np.random.default_rng(count)
    print_progress(f"{count:,} episodes of one user ...")
    matrix = _vectors(rng, count)
    with TemporaryDirectory(prefix="bench-") as folder:
        index = SqliteIndex(Path(folder) / "index.sqlite")
        for start in range(0, count, BATCH):
            await index.upsert(USER, [*_entries(rng, matrix[start : start + BATCH], start)])

        async def search(query: Search) -> None:
            dense = query.dense.tolist()
            await index.search(USER, dense=dense, terms=query.terms, limit=K)

        async def write_and_search(query: Search) -> None:
            await index.upsert(
                USER, [*_entries(rng, query.dense[None], int(rng.integers(1 << 30)))]
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


async def _measure_many_users() -> list[Measurement]:
    """Forget one episode, and search the memory of every user in a process of its own."""
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder), summary_every=0, openai_api_key="none")
        deps = Dependencies.from_settings(settings, RandomEmbedder("random"))
        async with open_local(settings, deps) as agent:
            print_progress(f"{USERS * EPISODES_PER_USER:,} episodes of {USERS:,} users ...")
            for number in range(USERS):
                await _fill(agent, f"user{number}")
            started = time.perf_counter()
            await agent.forget("user500", ["user500-e7"])
            seconds = time.perf_counter() - started
        command = [sys.executable, __file__, "--search-all", folder]
        process = await asyncio.to_thread(
            subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True
        )
        size = (Path(folder) / "memory.sqlite").stat().st_size
    name = f"{USERS * EPISODES_PER_USER:,} episodes of {USERS:,} users"
    return [
        Measurement(f"{name}: forget one", seconds, " s", most=1),
        Measurement(f"{name}: memory of a process", float(process.stdout), " MB", most=600),
        Measurement(f"{name}: size of the database", size / 1e6, " MB"),
    ]


async def _fill(agent: LocalAgent, user: str) -> None:
    rng = np.random.default_rng(int(user.removeprefix("user")))
    memory = agent.memory(user)
    entries = [*_entries(rng, _vectors(rng, EPISODES_PER_USER), 0, f"{user}-")]
    episodes = [
        Episode(
            id=entry.episode_id,
            user_id=user,
            query="words that somebody said " * 3,
            response="words that were answered " * 8,
            created_at=FIRST_EPISODE_AT + timedelta(minutes=entry.at),
        )
        for entry in entries
    ]
    also = [memory.indexer.index.state_write()]
    await memory.episodes.add(episodes, entries=entries, also=also)


async def _search_all(home: Path) -> None:
    """Search the memory of every user, and print the most memory that this process had (MB)."""
    index, rng = SqliteIndex(home / "memory.sqlite"), np.random.default_rng(0)
    for number in range(USERS):
        query = Search.random(rng)
        scores = await index.search(
            user_key(f"user{number}"), dense=query.dense.tolist(), terms=query.terms, limit=K
        )
        assert len(scores) >= EPISODES_PER_USER - 1
    await index.aclose()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def _entries(
    rng: np.random.Generator, vectors: Vectors, start: int, prefix: str = ""
) -> Iterator[Entry]:
    for number, vector in enumerate(vectors, start):
        passage = Passage("query", 0, 60, vector.tolist(), _terms(rng))
        yield Entry(f"{prefix}e{number}", float(number), None, [passage])


def _vectors(rng: np.random.Generator, count: int) -> Vectors:
    vectors = rng.standard_normal((count, DIMENSION), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _terms(rng: np.random.Generator) -> dict[int, float]:
    ranks = (VOCABULARY ** rng.random(TERMS)).astype(int)
    hashes = (ranks * 2_654_435_761) % (1 << 32)
    return {int(term): 1.0 for term in hashes}


if __name__ == "__main__":
    if "--search-all" in sys.argv:
        asyncio.run(_search_all(Path(sys.argv[-1])))
    else:
        report_and_exit(asyncio.run(measure()))
