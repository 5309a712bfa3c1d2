"""Recall, forgetting and memory in a data folder of 1,000,000 episodes, against one of 10,000.

Each user has 1,000 episodes of random text, vectors and terms. What one user does must not grow with the
folder. The folders take turns; a search counts in processor time. ``--quick`` takes 100,000 episodes in
place of a million.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from filled_home import FIRST_EPISODE_AT, RandomEmbedder
from measurement import Measurement, print_progress, quick, report_and_exit
from random_entries import Search, random_entries, random_vectors

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.index.protocol import IndexQuery
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.nodes.dependencies import Dependencies

FEW = 10
MANY = 100 if quick() else 1_000
EPISODES_PER_USER = 1_000
FORGETTINGS = 5
WORDS_ASKED, WORDS_ANSWERED = 12, 32
K = 24


class Folder(NamedTuple):
    """A data folder with the memory of many users, open."""

    users: int
    home: Path
    agent: LocalAgent

    @property
    def name(self) -> str:
        """How large it is."""
        return f"{self.users * EPISODES_PER_USER:,} episodes"


async def measure() -> list[Measurement]:
    async with AsyncExitStack() as stack:
        few, many = [await _open(stack, users) for users in (FEW, MANY)]
        await _fill_all(few)
        write = await _fill_all(many)
        for folder in (few, many):
            await _forget_one(folder, FORGETTINGS)  # loads what the first one needs
        forget = [
            (await _forget_one(many, number), await _forget_one(few, number))
            for number in range(FORGETTINGS)
        ]
        pairs, *_ = await _in_own_process("--search", few, many)
        memory_of_few, memory = [
            (await _in_own_process("--search", each))[1] for each in (few, many)
        ]
        size = (many.home / "memory.sqlite").stat().st_size
    episodes = many.users * EPISODES_PER_USER
    against = f"against {few.name}"
    return [
        Measurement(f"{many.name}: search of one user", 1000 * pairs[1], " ms"),
        _ratio(f"{many.name}: search {against}", pairs[2], 2, few),
        Measurement(f"{many.name}: forget one", median(ours for ours, _ in forget), " s", most=1),
        _ratio(
            f"{many.name}: forget one {against}",
            median(ours / theirs for ours, theirs in forget),
            3,
            few,
        ),
        Measurement(f"{few.name}: memory of a process", memory_of_few, " MB"),
        Measurement(f"{many.name}: memory of a process", memory, " MB", most=600),
        _ratio(f"{many.name}: memory {against}", memory / memory_of_few, 4, few),
        Measurement(f"{many.name}: database", size / episodes, " bytes an episode"),
        Measurement(
            f"{many.name}: to write, without embedding", 1e6 * write / episodes, " µs an episode"
        ),
    ]


def _ratio(name: str, value: float, most: float, few: Folder) -> Measurement:
    return Measurement(name, value, "x", most=most, baseline=few.name)


async def _open(stack: AsyncExitStack, users: int) -> Folder:
    home = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
    settings = load_settings(home=home, summary_every=0, openai_api_key="none")
    deps = Dependencies.from_settings(settings, RandomEmbedder("random"))
    return Folder(users, home, await stack.enter_async_context(open_local(settings, deps)))


async def _fill_all(folder: Folder) -> float:
    """Processor seconds that it took."""
    print_progress(f"{folder.name} of {folder.users:,} users ...")
    started = time.process_time()
    for number in range(folder.users):
        await _fill(folder.agent, f"user{number}")
    return time.process_time() - started


async def _in_own_process(*arguments: object) -> list[Any]:
    """What a process of this script prints."""
    words = [
        f"{each.home}:{each.users}" if isinstance(each, Folder) else each for each in arguments
    ]
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, __file__, *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(process.stdout))


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


async def _forget_one(folder: Folder, number: int) -> float:
    """The seconds that it took."""
    started = time.perf_counter()
    await folder.agent.forget(f"user{number}", [f"user{number}-e7"])
    return time.perf_counter() - started


async def search(folders: list[tuple[Path, int]]) -> None:
    """Search the memory of every user of the last folder, and as often of the first.

    Prints as JSON: the median processor seconds of a search in the first and in the last, the median of
    their ratios, and the most memory of this process (MB).
    """
    rng = np.random.default_rng(0)
    indexes = [(SqliteIndex(home / "memory.sqlite"), users) for home, users in folders]
    pairs = []
    for number in range(folders[-1][1]):
        query = Search.random(rng)
        pairs.append([await _search(index, number % users, query) for index, users in indexes])
    for index, _ in indexes:
        await index.aclose()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    first, last = median(pair[0] for pair in pairs), median(pair[-1] for pair in pairs)
    print(json.dumps([[first, last, median(pair[-1] / pair[0] for pair in pairs)], most]))


async def _search(index: SqliteIndex, number: int, query: Search) -> float:
    """The processor seconds of the second search of a user: the first one reads the rows."""
    seconds = 0.0
    for _ in range(2):
        started = time.process_time()
        scores = await index.search(
            user_key(f"user{number}"), IndexQuery(query.dense.tolist(), query.terms, K)
        )
        seconds = time.process_time() - started
        assert len(scores) >= EPISODES_PER_USER - 1
    return seconds


def _folder(argument: str) -> tuple[Path, int]:
    home, _, users = argument.rpartition(":")
    return Path(home), int(users)


if __name__ == "__main__":
    if "--search" in sys.argv:
        asyncio.run(search([_folder(each) for each in sys.argv[2:]]))
    else:
        report_and_exit(asyncio.run(measure()))
