"""Searching the index at 100,000 episodes of 100 users, against numpy over the user's rows."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median
from typing import Any

import numpy as np
from filled_home import (
    DIMENSION,
    filled_home,
    invented_episodes,
    random_sentence,
    real_embedder,
    vector_of,
)
from measurement import Measurement, print_progress, report_and_exit

from personaagent.core.settings import Settings
from personaagent.local.agent import open_local
from personaagent.memory.index.bm25 import Bm25
from personaagent.memory.index.open import open_index
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.ranking import fuse
from personaagent.memory.recall import CANDIDATES
from personaagent.models.embeddings import Embedder
from personaagent.nodes.dependencies import Dependencies

EPISODES_PER_USER = 1_000
USERS = {f"user{number}": EPISODES_PER_USER for number in range(100)}
K = 8
WARM_UP = 20
QUERIES = 300

Vectors = np.ndarray[Any, np.dtype[np.float32]]
RowNumbers = np.ndarray[Any, np.dtype[np.int64]]


async def measure() -> list[Measurement]:
    embedder = real_embedder()
    async with filled_home(USERS) as settings:
        search = await _measure_search(settings, embedder)
        recall_seconds = await _measure_recall(settings, embedder)
    numpy_ms, dense_ms, hybrid_ms = (
        1000 * median(seconds) for seconds in (search.numpy, search.dense, search.hybrid)
    )
    return [
        Measurement("search, numpy over the user's rows (p50)", numpy_ms, " ms"),
        Measurement("search, dense alone (p50)", dense_ms, " ms"),
        Measurement("search, hybrid and fused (p50)", hybrid_ms, " ms"),
        Measurement(
            "recall with the query's embedding (p50)", 1000 * median(recall_seconds), " ms"
        ),
        Measurement("hybrid search against numpy", hybrid_ms / numpy_ms, "x", most=5),
        Measurement("dense recall@8 against exact search", fmean(search.shares), least=0.99),
    ]


@dataclass(frozen=True)
class SearchTimes:
    """Seconds of each search, and the share of the exact best K that dense search finds."""

    numpy: list[float]
    dense: list[float]
    hybrid: list[float]
    shares: list[float]


async def _measure_search(settings: Settings, embedder: Embedder) -> SearchTimes:
    matrix, rows_of = _all_vectors()
    async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
        keys = {user: agent.memory(user).indexer.store.key for user in USERS}
    index, bm25 = open_index(settings, embedder.name), Bm25()
    print_progress(f"{QUERIES} searches of each kind ...")
    rng, times = random.Random("queries"), SearchTimes([], [], [], [])
    for _ in range(WARM_UP + QUERIES):
        text, user = random_sentence(rng), rng.choice(list(USERS))
        exact_search = partial(_exact_search, matrix, rows_of[user])
        await _time_one_query(times, index, bm25, text, keys[user], exact_search)
    await index.aclose()
    return SearchTimes(
        times.numpy[WARM_UP:], times.dense[WARM_UP:], times.hybrid[WARM_UP:], times.shares
    )


async def _time_one_query(
    times: SearchTimes,
    index: EpisodeIndex,
    bm25: Bm25,
    text: str,
    key: str,
    exact_search: Callable[[Vectors], list[str]],
) -> None:
    """Search for ``text`` among the user's episodes in three ways."""
    vector, terms = vector_of(text), bm25.query(text)
    dense, limit = vector.tolist(), CANDIDATES * K

    async def numpy_search() -> None:
        exact_search(vector)

    async def dense_search() -> None:
        await index.search(key, dense=dense, bm25=None, limit=limit)

    async def hybrid_search() -> None:
        fuse(await index.search(key, dense=dense, bm25=terms, limit=limit))

    times.numpy.append(await _timed(numpy_search))
    times.dense.append(await _timed(dense_search))
    times.hybrid.append(await _timed(hybrid_search))
    ranking = await index.search(key, dense=dense, bm25=None, limit=K)
    hits = {hit.episode_id for hit in ranking.dense}
    times.shares.append(len(hits & set(exact_search(vector))) / K)


def _all_vectors() -> tuple[Vectors, dict[str, RowNumbers]]:
    """The vectors of all users, interleaved as in a shared table, and the row numbers of each user."""
    total = EPISODES_PER_USER * len(USERS)
    matrix = np.empty((total, DIMENSION), np.float32)
    rows_of = {user: np.arange(i, total, len(USERS)) for i, user in enumerate(USERS)}
    for user, count in USERS.items():
        episodes = invented_episodes(user, count)
        matrix[rows_of[user]] = [vector_of(episode.query) for episode in episodes]
    return matrix, rows_of


def _exact_search(matrix: Vectors, rows: RowNumbers, vector: Vectors) -> list[str]:
    """The ids of the K nearest episodes, the nearest first."""
    scores = matrix[rows] @ vector
    best = np.argpartition(-scores, K)[:K]
    return [f"e{number}" for number in best[np.argsort(-scores[best])]]


async def _measure_recall(settings: Settings, embedder: Embedder) -> list[float]:
    """Seconds of recall from end to end, with the real embedding of the query."""
    print_progress("recall from end to end ...")
    rng, seconds = random.Random("recalls"), []
    async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
        await embedder.embed(["load the model"])
        for _ in range(WARM_UP + QUERIES):
            memory, text = agent.memory(rng.choice(list(USERS))), random_sentence(rng)

            async def recall() -> None:
                assert (await memory.recall(text, K)).episodes  # noqa: B023

            seconds.append(await _timed(recall))
    return seconds[WARM_UP:]


async def _timed(search: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await search()
    return time.perf_counter() - started


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
