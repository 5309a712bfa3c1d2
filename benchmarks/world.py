"""A data folder with many users' episodes, of invented words and random vectors."""

import json
import random
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from measured import say

from personaagent.core.records import Episode
from personaagent.core.settings import Settings, load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.models.catalog import EMBEDDINGS
from personaagent.models.download import model_folder
from personaagent.models.embeddings import Embedder, make_embedder
from personaagent.nodes.dependencies import Dependencies

SIZE = 384
PIECE = 2000
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
Invent = Callable[[str, int], Iterator[Episode]]
"""Makes so many episodes of the user."""


class RandomVectors:
    """An ``Embedder`` that gives each text a random unit vector, always the same one."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [vector_of(text).tolist() for text in texts]

    async def ready(self) -> None:
        """Always."""

    async def aclose(self) -> None:
        """Nothing is open."""


def vector_of(text: str) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """The random unit vector of ``text``."""
    vector = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(SIZE)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def real_embedder() -> Embedder:
    """The local embedding model, from the user's own data folder."""
    return make_embedder(load_settings())


def sentence(chance: random.Random, words: int = 12) -> str:
    """Words drawn as often as language uses them (Zipf's law): usual work for model and BM25."""
    known = vocabulary()
    return " ".join(known[int(len(known) ** chance.random()) - 1] for _ in range(words))


@cache
def vocabulary() -> list[str]:
    """The words that the embedding model knows whole, common ones first."""
    file = model_folder(load_settings().home, EMBEDDINGS) / "tokenizer.json"
    tokens = json.loads(file.read_text("utf-8"))["model"]["vocab"]
    return [token for token in tokens if token.isalpha() and token.isascii() and len(token) > 2]


@asynccontextmanager
async def world(
    users: dict[str, int], episodes_of: Invent | None = None, **settings: object
) -> AsyncIterator[Settings]:
    """Settings of a new data folder that holds so many indexed episodes of each user.

    ``episodes_of`` makes them (default: ``invented``). No profile summary is refreshed: that goes
    on beside a conversation, not in its turns.
    """
    with TemporaryDirectory(prefix="bench-") as folder:
        made = load_settings(home=Path(folder), summary_every=0, **settings)
        say(f"writing {sum(users.values()):,} episodes of {len(users)} users ...")
        deps = Dependencies.from_settings(made, embedder=RandomVectors(real_embedder().name))
        async with open_local(made, deps) as agent:
            for user, count in users.items():
                await _fill(agent, user, (episodes_of or invented)(user, count))
            await agent.memory(user).indexer.index.optimise()
        yield made


def invented(user: str, count: int) -> Iterator[Episode]:
    """So many episodes of the user, the same ones each time."""
    chance = random.Random(user)
    for number in range(count):
        yield Episode(
            id=f"e{number}",
            user_id=user,
            query=sentence(chance),
            response=sentence(chance, 30),
            created_at=BEGIN + timedelta(minutes=number),
        )


async def _fill(agent: LocalAgent, user: str, episodes: Iterator[Episode]) -> None:
    memory = agent.memory(user)
    while piece := list(islice(episodes, PIECE)):
        await memory.episodes.add(piece)
        await memory.indexer.refresh(len(piece))
