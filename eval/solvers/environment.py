"""The lab: what all methods of a run share, and the memory that each is given of a case."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import IndexUnavailable
from personaagent.core.records import Episode, new_id
from personaagent.core.settings import Settings
from personaagent.eval.samples import Sample
from personaagent.eval.solvers.caching_embedder import CachingEmbedder
from personaagent.eval.solvers.exact_index import ExactIndex
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.models.chat import Models
from personaagent.models.embeddings import Embedder, make_embedder
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies
from personaagent.tools.recall_episodes import recall_tool
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool

if TYPE_CHECKING:
    import numpy as np

PATIENCE = 60.0
"""Seconds that a recall may take: under load it is to come late rather than not at all."""


@dataclass(frozen=True)
class Remembered:
    """A user who has lived through a case: their memory, its store, and parts to build graphs over."""

    deps: Dependencies
    store: BaseStore
    memory: UserMemory

    async def recall(self, query: str, k: int) -> list[Episode]:
        """The ``k`` episodes nearest to ``query``, best first.

        Raises:
            IndexUnavailable: nothing can be recalled now; no answer is measured without memory.
        """
        return await recall(self.memory, query, k)


@dataclass(frozen=True)
class EvalEnvironment:
    """What all methods of a run share: settings, models, tools, embedder, index; and the seed.

    The settings say all else that they are compared under: ``top_k``, ``prompt_tokens``, what
    alignment may do. ``examples`` are, by task, episodes of many users, for ``icl``.
    """

    deps: Dependencies
    embedder: Embedder
    index: EpisodeIndex
    seed: int
    examples: Mapping[str, Sequence[Episode]]

    @property
    def settings(self) -> Settings:
        """Those of all methods."""
        return self.deps.settings

    @property
    def models(self) -> Models:
        """Those of all methods."""
        return self.deps.models

    @asynccontextmanager
    async def remembered(self, case: Sample) -> AsyncIterator[Remembered]:
        """A new user who remembers the history of ``case``, as if nobody else existed.

        All that is kept of them is gone at the end.

        Raises:
            ServiceError, ConfigurationError, DataError: the history cannot be embedded or kept.
        """
        store, memory = InMemoryStore(), self.deps.memory
        user = memory.of(store, new_id())
        try:
            await _live_through(case.history, user)
            yield Remembered(self.deps, store, user)
        finally:
            await self.index.clear(user.store.key)
            await memory.drop_lock(user.user_id)

    def random(self, case: Sample) -> "np.random.Generator":
        """Chance for ``case``: the same in each run of this seed, whatever ran before."""
        import numpy as np

        digest = hashlib.sha256(f"{case.task}\n{case.id}".encode()).digest()
        return np.random.default_rng([self.seed, *digest])


@asynccontextmanager
async def open_environment(
    settings: Settings,
    seed: int = 0,
    *,
    examples: Mapping[str, Sequence[Episode]] | None = None,
    models: Models | None = None,
    embedder: Embedder | None = None,
) -> AsyncIterator[EvalEnvironment]:
    """The lab of a run under these settings.

    Args:
        settings: those that an agent would run with; but the index is in memory, whatever
            ``qdrant_url`` says, and recall has more patience.
        seed: decides all that is left to chance.
        examples: by task, what ``draw_examples`` drew from its cases.
        models: chat models to use in place of those of the settings; the caller closes them.
        embedder: an embedder, likewise.
    """
    async with AsyncExitStack() as stack:
        if models is None:
            models = Models(settings, at_once=settings.simulations_at_once)
            stack.push_async_callback(models.aclose)
        if embedder is None:
            embedder = make_embedder(settings)
            stack.push_async_callback(embedder.aclose)
        home = Path(stack.enter_context(TemporaryDirectory(prefix="personaagent-eval-")))
        settings = settings.model_copy(update={"home": home, "recall_timeout": PATIENCE})
        kept, index = CachingEmbedder(embedder), ExactIndex()
        memory = Memory(settings, kept, index)
        recall = recall_tool(lambda runtime: user_memory(memory, runtime), settings)
        tools = [search_wikipedia_tool(Wikipedia(settings)), recall]
        room = asyncio.Semaphore(settings.simulations_at_once)
        yield EvalEnvironment(
            deps=Dependencies(settings, models, memory, tools, room),
            embedder=kept,
            index=index,
            seed=seed,
            examples=examples or {},
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


async def _live_through(history: Sequence[Episode], user: UserMemory) -> None:
    """Store and index the history as the user's own."""
    if history:
        own = [each.model_copy(update={"user_id": user.user_id}) for each in history]
        await user.episodes.add(own)
        await user.indexer.add(own, [each.id for each in own])
