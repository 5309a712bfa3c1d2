"""Searching the index at 100,000 episodes of 100 users, against numpy over that user's rows."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from statistics import fmean, median

import numpy as np
from measured import Measured, finish, say
from world import SIZE, invented, real_embedder, sentence, vector_of, world

from personaagent.local.agent import open_local
from personaagent.memory.index.bm25 import Bm25
from personaagent.memory.index.open import open_index
from personaagent.memory.ranking import fuse
from personaagent.memory.recall import CANDIDATES
from personaagent.nodes.dependencies import Dependencies

USERS = {f"user{number}": 1_000 for number in range(100)}
K = 8
WARM_UP = 20
QUERIES = 300


async def measure() -> list[Measured]:
    embedder = real_embedder()
    async with world(USERS) as settings:
        rows = {user: np.arange(i, 100_000, 100) for i, user in enumerate(USERS)}
        matrix = np.empty((100_000, SIZE), np.float32)
        for user in USERS:
            matrix[rows[user]] = [vector_of(each.query) for each in invented(user, USERS[user])]

        deps = Dependencies.from_settings(settings, embedder)
        index, bm25 = open_index(settings, embedder.name), Bm25()
        async with open_local(settings, deps) as agent:
            keys = {user: agent.memory(user).indexer.store.key for user in USERS}

        def exact(user: str, vector: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> list[str]:
            scores = matrix[rows[user]] @ vector
            best = np.argpartition(-scores, K)[:K]
            return [f"e{row}" for row in best[np.argsort(-scores[best])]]

        async def numpy_search() -> None:
            exact(user, vector)

        async def dense_search() -> None:
            await index.search(keys[user], dense=dense, bm25=None, limit=CANDIDATES * K)

        async def hybrid_search() -> None:
            fuse(await index.search(keys[user], dense=dense, bm25=terms, limit=CANDIDATES * K))

        say(f"{QUERIES} searches of each kind ...")
        chance, found = random.Random("queries"), []
        seconds: dict[Search, list[float]] = {
            search: [] for search in (numpy_search, dense_search, hybrid_search)
        }
        for _ in range(WARM_UP + QUERIES):
            text, user = sentence(chance), chance.choice(list(USERS))
            vector, terms = vector_of(text), bm25.query(text)
            dense = vector.tolist()
            for search, taken in seconds.items():
                taken.append(await _timed(search))
            ranking = await index.search(keys[user], dense=dense, bm25=None, limit=K)
            truth = exact(user, vector)
            found.append(len({hit.episode_id for hit in ranking.dense} & set(truth)) / K)
        await index.aclose()

        say("recall from end to end ...")
        recalls = []
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            await embedder.embed(["load the model"])
            for _ in range(WARM_UP + QUERIES):
                memory, text = agent.memory(chance.choice(list(USERS))), sentence(chance)

                async def recall() -> None:
                    assert (await memory.recall(text, K)).episodes  # noqa: B023

                recalls.append(await _timed(recall))

    floor, dense_p50, hybrid_p50 = (1000 * median(taken[WARM_UP:]) for taken in seconds.values())
    return [
        Measured("search, numpy over the user's rows (p50)", floor, " ms"),
        Measured("search, dense alone (p50)", dense_p50, " ms"),
        Measured("search, hybrid and fused (p50)", hybrid_p50, " ms"),
        Measured(
            "recall with the query's embedding (p50)", 1000 * median(recalls[WARM_UP:]), " ms"
        ),
        Measured("hybrid search against numpy", hybrid_p50 / floor, "x", most=5),
        Measured("dense recall@8 against exact search", fmean(found), least=0.99),
    ]


Search = Callable[[], Awaitable[None]]


async def _timed(search: Search) -> float:
    started = time.perf_counter()
    await search()
    return time.perf_counter() - started


if __name__ == "__main__":
    finish(asyncio.run(measure()))
