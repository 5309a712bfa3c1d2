"""A new data folder with episodes of many users, made of random words and random vectors."""

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
from measurement import print_progress

from personaagent.core.records import Episode
from personaagent.core.settings import Settings, load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.models.catalog import EMBEDDINGS
from personaagent.models.download import model_folder
from personaagent.models.embeddings import Embedder, make_embedder
from personaagent.nodes.dependencies import Dependencies

DIMENSION = 384
BATCH_SIZE = 2000
FIRST_EPISODE_AT = datetime(2025, 1, 1, tzinfo=UTC)
MakeEpisodes = Callable[[str, int], Iterator[Episode]]
"""Takes a user and a count; makes that many episodes of the user."""


class RandomEmbedder:
    """An ``Embedder`` that maps each text to a fixed random unit vector."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [vector_of(text).tolist() for text in texts]

    async def ready(self) -> None:
        """Do nothing: no model is loaded."""

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""


def vector_of(text: str) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """The random unit vector of ``text``."""
    vector = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def endpoint_settings(base_url: str) -> dict[str, str]:
    """Settings for alignment with a scripted endpoint, without a judge."""
    return {
        "openai_base_url": base_url,
        "openai_api_key": "none",
        "model": "any",
        "tool_mode": "native",
        "align_text_metric": "rouge",
    }


def real_embedder() -> Embedder:
    """The local embedding model, from the user's own data folder."""
    return make_embedder(load_settings())


def random_sentence(rng: random.Random, words: int = 12) -> str:
    """Random words with the frequencies of natural language (Zipf's law), for model and BM25."""
    vocabulary = known_words()
    ranks = (int(len(vocabulary) ** rng.random()) - 1 for _ in range(words))
    return " ".join(vocabulary[rank] for rank in ranks)


@cache
def known_words() -> list[str]:
    """The words that are single tokens of the embedding model, common ones first."""
    file = model_folder(load_settings().home, EMBEDDINGS) / "tokenizer.json"
    tokens = json.loads(file.read_text("utf-8"))["model"]["vocab"]
    return [token for token in tokens if token.isalpha() and token.isascii() and len(token) > 2]


@asynccontextmanager
async def filled_home(
    users: dict[str, int], make_episodes: MakeEpisodes | None = None, **settings: object
) -> AsyncIterator[Settings]:
    """The settings of a new data folder with indexed episodes; ``users`` maps each user to a count.

    ``make_episodes`` makes them (default: ``invented_episodes``). No profile summary is refreshed: the
    agent does that beside a conversation, not within its turns.
    """
    with TemporaryDirectory(prefix="bench-") as folder:
        home_settings = load_settings(home=Path(folder), summary_every=0, **settings)
        print_progress(f"writing {sum(users.values()):,} episodes of {len(users)} users ...")
        deps = Dependencies.from_settings(
            home_settings, embedder=RandomEmbedder(real_embedder().name)
        )
        async with open_local(home_settings, deps) as agent:
            for user, count in users.items():
                await _fill(agent, user, (make_episodes or invented_episodes)(user, count))
        yield home_settings


def invented_episodes(user: str, count: int) -> Iterator[Episode]:
    """``count`` episodes of the user, the same ones each time."""
    rng = random.Random(user)
    for number in range(count):
        yield Episode(
            id=f"e{number}",
            user_id=user,
            query=random_sentence(rng),
            response=random_sentence(rng, 30),
            created_at=FIRST_EPISODE_AT + timedelta(minutes=number),
        )


async def _fill(agent: LocalAgent, user: str, episodes: Iterator[Episode]) -> None:
    memory = agent.memory(user)
    while batch := list(islice(episodes, BATCH_SIZE)):
        await memory.episodes.add(batch)
        await memory.indexer.refresh(len(batch))
