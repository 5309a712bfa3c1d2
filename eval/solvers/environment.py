"""What all solvers of a run share, and the memory that each of them gets of a sample."""

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
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.models.chat import Models
from personaagent.models.embeddings import Embedder, make_embedder
from personaagent.nodes.agent.branches import branch_memory
from personaagent.nodes.dependencies import Dependencies
from personaagent.tools.recall_episodes import recall_tool
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool

if TYPE_CHECKING:
    import numpy as np

RECALL_TIMEOUT = 60.0
"""Seconds. Under load, a late recall is better than none."""


@dataclass(frozen=True)
class SampleMemory:
    """The memory of a user who has the history of a sample, its store, and what graphs need."""

    deps: Dependencies
    store: BaseStore
    memory: UserMemory

    async def recall(self, query: str, k: int) -> list[Episode]:
        """The ``k`` episodes nearest to ``query``, best first.

        Raises:
            IndexUnavailable: recall does not work now; an answer without memory must not count.
        """
        return await recall(self.memory, query, k)


@dataclass(frozen=True)
class EvalEnvironment:
    """What all solvers of a run share: settings, models, tools, embedder, index, and the seed.

    ``examples`` are episodes of many users by task, for in-context learning.
    """

    deps: Dependencies
    embedder: Embedder
    index: EpisodeIndex
    seed: int
    examples: Mapping[str, Sequence[Episode]]

    @property
    def settings(self) -> Settings:
        """The settings of all solvers."""
        return self.deps.settings

    @property
    def models(self) -> Models:
        """The models of all solvers."""
        return self.deps.models

    @asynccontextmanager
    async def remember_sample(self, sample: Sample) -> AsyncIterator[SampleMemory]:
        """A new user with the history of ``sample``; nobody else's episodes are in their memory.

        Everything stored about them is deleted at the end.

        Raises:
            ServiceError, ConfigurationError, DataError: the history cannot be embedded or kept.
        """
        store, memory = InMemoryStore(), self.deps.memory
        user = memory.of(store, new_id())
        try:
            await _remember(sample.history, user)
            yield SampleMemory(self.deps, store, user)
        finally:
            await memory.write_costs(store)
            await self.index.clear(user.store.key)
            await memory.drop_lock(user.user_id)

    def rng(self, sample: Sample) -> "np.random.Generator":
        """A random generator for ``sample``: the same in every run with this seed."""
        import numpy as np

        digest = hashlib.sha256(f"{sample.task}\n{sample.id}".encode()).digest()
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
    """Open the environment of a run.

    Args:
        settings: those of the agent, except that the index is always in memory and recall may take
            longer.
        seed: decides everything random.
        examples: by task, what ``draw_examples`` drew from its samples.
        models: chat models to use instead of those of the settings; the caller closes them.
        embedder: an embedder to use instead of that of the settings; the caller closes it.
    """
    async with AsyncExitStack() as stack:
        if models is None:
            models = Models(settings, at_once=settings.simulations_at_once)
            stack.push_async_callback(models.aclose)
        if embedder is None:
            embedder = make_embedder(settings)
            stack.push_async_callback(embedder.aclose)
        home = Path(stack.enter_context(TemporaryDirectory(prefix="personaagent-eval-")))
        settings = settings.model_copy(update={"home": home, "recall_timeout": RECALL_TIMEOUT})
        caching_embedder, index = CachingEmbedder(embedder), SqliteIndex()
        memory = Memory(settings, caching_embedder, index)
        recall = recall_tool(
            lambda runtime: branch_memory(memory, runtime.state, runtime), settings
        )
        tools = [search_wikipedia_tool(Wikipedia(settings)), recall]
        model_slots = asyncio.Semaphore(settings.simulations_at_once)
        yield EvalEnvironment(
            deps=Dependencies(settings, models, memory, tools, model_slots),
            embedder=caching_embedder,
            index=index,
            seed=seed,
            examples=examples or {},
        )


async def recall(memory: UserMemory, query: str, k: int) -> list[Episode]:
    """The ``k`` episodes nearest to ``query``, best first.

    Raises:
        IndexUnavailable: recall does not work now; an answer without memory must not count.
    """
    recalled = await memory.recall(query, k)
    if recalled.failed:
        raise IndexUnavailable(" ".join(recalled.warnings))
    return recalled.episodes


async def _remember(history: Sequence[Episode], user: UserMemory) -> None:
    """Store and index the history as the user's own."""
    if history:
        episodes = [each.model_copy(update={"user_id": user.user_id}) for each in history]
        await user.episodes.add(episodes)
        await user.indexer.add(episodes, [episode.id for episode in episodes])
