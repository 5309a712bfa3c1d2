"""The lab: what all methods of a run share, and the memory that each is given of a case."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

from langchain_core.tools import BaseTool
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import IndexUnavailable
from personaagent.core.records import Episode
from personaagent.core.settings import Settings
from personaagent.eval.case import Case
from personaagent.eval.methods.kept_embedder import KeptEmbedder
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.models.chat import Models
from personaagent.models.embeddings import Embedder, make_embedder
from personaagent.nodes.parts import Parts, user_memory
from personaagent.tools.recall import recall_tool
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool

if TYPE_CHECKING:
    import numpy as np

PATIENCE = 60.0
"""Seconds that a recall may take: under load it is to come late rather than not at all."""


@dataclass(frozen=True)
class Remembered:
    """A user who has lived through a case: their memory, its store, and parts to build graphs over."""

    parts: Parts
    store: BaseStore
    memory: UserMemory

    async def recall(self, query: str, k: int) -> list[Episode]:
        """The ``k`` episodes nearest to ``query``, best first.

        Raises:
            IndexUnavailable: nothing can be recalled now; no answer is measured without memory.
        """
        return await recall(self.memory, query, k)


@dataclass(frozen=True)
class Lab:
    """What all methods of a run share: settings, seed, models, embedder, Wikipedia.

    The settings say all else that they are compared under: ``top_k``, ``prompt_tokens``, what
    alignment may do. ``examples`` are, by task, episodes of many users, for ``icl``.
    """

    settings: Settings
    seed: int
    models: Models
    embedder: Embedder
    examples: Mapping[str, Sequence[Episode]]
    wikipedia: BaseTool
    room: asyncio.Semaphore
    folder: Path

    @asynccontextmanager
    async def remembered(self, case: Case) -> AsyncIterator[Remembered]:
        """A user who remembers the history of ``case``, as if nobody else existed.

        Store, index and locks are their own, and are gone at the end. Their name is the same in
        each run, as the order of what is equally near may hang on it.

        Raises:
            ServiceError, ConfigurationError, DataError: the history cannot be embedded or kept.
        """
        folder = await asyncio.to_thread(mkdtemp, prefix="case-", dir=self.folder)
        settings = self.settings.model_copy(update={"home": Path(folder)})
        store, memory = InMemoryStore(), Memory(settings, self.embedder)
        recall = recall_tool(lambda runtime: user_memory(memory, runtime), settings)
        parts = Parts(settings, self.models, memory, [self.wikipedia, recall], self.room)
        try:
            user = memory.of(store, _digest(case).hex())
            await _live_through(case.history, user)
            yield Remembered(parts, store, user)
        finally:
            await memory.aclose()
            await asyncio.to_thread(shutil.rmtree, folder)

    def random(self, case: Case) -> "np.random.Generator":
        """Chance for ``case``: the same in each run of this seed, whatever ran before."""
        import numpy as np

        return np.random.default_rng([self.seed, *_digest(case)])


@asynccontextmanager
async def open_lab(
    settings: Settings,
    seed: int = 0,
    *,
    examples: Mapping[str, Sequence[Episode]] | None = None,
    models: Models | None = None,
    embedder: Embedder | None = None,
) -> AsyncIterator[Lab]:
    """The lab of a run under these settings, with a temporary folder for the cases.

    Args:
        settings: those that an agent would run with; but each case has an embedded index of its
            own, whatever ``qdrant_url`` says, and recall has more patience.
        seed: decides all that is left to chance.
        examples: by task, what ``draw_examples`` drew from its cases.
        models: chat models to use in place of those of the settings; the caller closes them.
        embedder: an embedder, likewise.
    """
    settings = settings.model_copy(update={"qdrant_url": None, "recall_timeout": PATIENCE})
    async with AsyncExitStack() as stack:
        if models is None:
            models = Models(settings)
            stack.push_async_callback(models.aclose)
        if embedder is None:
            embedder = make_embedder(settings)
            stack.push_async_callback(embedder.aclose)
        folder = stack.enter_context(TemporaryDirectory(prefix="personaagent-eval-"))
        yield Lab(
            settings=settings,
            seed=seed,
            models=models,
            embedder=KeptEmbedder(embedder),
            examples=examples or {},
            wikipedia=search_wikipedia_tool(Wikipedia(settings)),
            room=asyncio.Semaphore(settings.simulations_at_once),
            folder=Path(folder),
        )


async def recall(memory: UserMemory, query: str, k: int) -> list[Episode]:
    """The ``k`` episodes nearest to ``query``, best first.

    Raises:
        IndexUnavailable: nothing can be recalled now; no answer is measured without memory.
    """
    recalled = await memory.recall(query, k)
    if recalled.warnings:
        raise IndexUnavailable(" ".join(recalled.warnings))
    return recalled.episodes


def _digest(case: Case) -> bytes:
    return hashlib.sha256(f"{case.task}\n{case.id}".encode()).digest()


async def _live_through(history: Sequence[Episode], user: UserMemory) -> None:
    """Store and index the history as the user's own."""
    if history:
        own = [each.model_copy(update={"user_id": user.user_id}) for each in history]
        await user.episodes.add(own)
        await user.indexer.index(own, [each.id for each in own])
