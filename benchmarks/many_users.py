"""Recall, forgetting and memory in a data folder of 1,000,000 episodes, against one of 10,000.

Each user has 1,000 episodes of random text, vectors and terms. What one user does must not grow with the
folder. ``--quick`` takes 100,000 episodes in place of a million.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from filled_home import FIRST_EPISODE_AT, RandomEmbedder
from measurement import Measurement, print_progress, quick, report_and_exit
from random_entries import Search, random_entries, random_vectors

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.nodes.dependencies import Dependencies

FEW = 10
MANY = 100 if quick() else 1_000
EPISODES_PER_USER = 1_000
FORGETTINGS, SEARCHES = 5, 5
WORDS_ASKED, WORDS_ANSWERED = 12, 32
K = 24


class Folder(NamedTuple):
    """What was measured in a data folder.

    Args:
        episodes: how many it holds.
        search: seconds of a search of one user's memory, the median over all users.
        forget: seconds to forget one episode, the median.
        memory: most megabytes of a process that searched the memory of every user.
        size: bytes of the database.
        write: processor seconds to write all episodes with their entries.
    """

    episodes: int
    search: float
    forget: float
    memory: float
    size: int
    write: float


async def measure() -> list[Measurement]:
    few, many = await _measure_folder(FEW), await _measure_folder(MANY)
    name, small = f"{many.episodes:,} episodes", f"{few.episodes:,} episodes"
    search, forget = many.search / few.search, many.forget / few.forget
    return [
        Measurement(f"{name}: search of one user (p50)", 1000 * many.search, " ms"),
        Measurement(f"{name}: search against {small}", search, "x", most=2, baseline=small),
        Measurement(f"{name}: forget one", many.forget, " s", most=1),
        Measurement(f"{name}: forget one against {small}", forget, "x", most=3, baseline=small),
        Measurement(f"{small}: memory of a process", few.memory, " MB"),
        Measurement(f"{name}: memory of a process", many.memory, " MB", most=600),
        Measurement(
            f"{name}: memory against {small}",
            many.memory / few.memory,
            "x",
            most=4,
            baseline=small,
        ),
        Measurement(f"{name}: database", many.size / many.episodes, " bytes an episode"),
        Measurement(
            f"{name}: to write, without embedding",
            1e6 * many.write / many.episodes,
            " µs an episode",
        ),
    ]


async def _measure_folder(users: int) -> Folder:
    """Fill a data folder, forget some episodes, and search the memory of every user."""
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder), summary_every=0, openai_api_key="none")
        deps = Dependencies.from_settings(settings, RandomEmbedder("random"))
        async with open_local(settings, deps) as agent:
            print_progress(f"{users * EPISODES_PER_USER:,} episodes of {users:,} users ...")
            started = time.process_time()
            for number in range(users):
                await _fill(agent, f"user{number}")
            write = time.process_time() - started
            await _forget_one(agent, f"user{FORGETTINGS}")  # loads what the first one needs
            forget = median(
                [await _forget_one(agent, f"user{each}") for each in range(FORGETTINGS)]
            )
        command = [sys.executable, __file__, "--search-all", folder, str(users)]
        process = await asyncio.to_thread(
            subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True
        )
        search, memory = json.loads(process.stdout)
        size = (Path(folder) / "memory.sqlite").stat().st_size
    return Folder(users * EPISODES_PER_USER, search, forget, memory, size, write)


async def _fill(agent: LocalAgent, user: str) -> None:
    rng = np.random.default_rng(int(user.removeprefix("user")))
    memory = agent.memory(user)
    vectors = random_vectors(rng, EPISODES_PER_USER)
    entries = [*random_entries(rng, vectors, 0, f"{user}-")]
    episodes = [
        Episode(
            id=entry.episode_id,
            user_id=user,
            query=" ".join(["word"] * WORDS_ASKED),
            response=" ".join(["answer"] * WORDS_ANSWERED),
            created_at=FIRST_EPISODE_AT + timedelta(minutes=entry.at),
        )
        for entry in entries
    ]
    also = [memory.indexer.index.state_write()]
    await memory.episodes.add(episodes, entries=entries, also=also)


async def _forget_one(agent: LocalAgent, user: str) -> float:
    """The seconds that it took."""
    started = time.perf_counter()
    await agent.forget(user, [f"{user}-e7"])
    return time.perf_counter() - started


async def search_all(home: Path, users: int) -> None:
    """Search the memory of every user; print the median seconds and the most memory (MB) as JSON."""
    index, rng = SqliteIndex(home / "memory.sqlite"), np.random.default_rng(0)
    times = []
    for number in range(users):
        query = Search.random(rng)
        await _search(index, number, query)  # reads the user's rows
        for _ in range(SEARCHES):
            started = time.perf_counter()
            await _search(index, number, query)
            times.append(time.perf_counter() - started)
    await index.aclose()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps([median(times), most]))


async def _search(index: SqliteIndex, number: int, query: Search) -> None:
    scores = await index.search(
        user_key(f"user{number}"), dense=query.dense.tolist(), terms=query.terms, limit=K
    )
    assert len(scores) >= EPISODES_PER_USER - 1


if __name__ == "__main__":
    if "--search-all" in sys.argv:
        asyncio.run(search_all(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        report_and_exit(asyncio.run(measure()))
