"""What nodes work with: settings, models, memory, tools. A process makes them once."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from langchain_core.tools import BaseTool

from personaagent.core.settings import Settings, load_settings
from personaagent.core.tracing import prepare_tracing
from personaagent.memory.memory import Memory
from personaagent.memory.text_vectors import TextVectors
from personaagent.models.chat import Models
from personaagent.models.embeddings import Embedder, make_embedder
from personaagent.nodes.agent.branches import branch_memory
from personaagent.nodes.background_tasks import BackgroundTasks
from personaagent.tools.recall_episodes import recall_tool
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool

RECALLS_AT_ONCE = 16


@dataclass(frozen=True)
class Dependencies:
    """The objects that a process has one of. Each is opened, loaded or connected at its first use.

    ``model_slots`` limits the model calls of all alignments together, so that they ask no more of
    the endpoint than it can take; answering a user does not wait for a slot. ``recall_slots`` does
    the same for the recalls of alignments, so that no run's model calls wait for another's recalls.
    ``vectors`` keeps those of the statements. ``refreshing`` holds the profile summaries that are
    being brought up to date.
    """

    settings: Settings
    models: Models
    memory: Memory
    tools: list[BaseTool]
    model_slots: asyncio.Semaphore
    recall_slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(RECALLS_AT_ONCE)
    )
    vectors: TextVectors = field(init=False)
    refreshing: BackgroundTasks[None] = field(
        default_factory=lambda: BackgroundTasks("The refresh of the profile summary")
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", self.memory.vectors)

    @classmethod
    def from_settings(
        cls,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> "Dependencies":
        """Make the dependencies that the settings ask for (default: those of the environment)."""
        settings = settings or load_settings()
        prepare_tracing(settings)
        memory = Memory(settings, embedder or make_embedder(settings))
        wikipedia = search_wikipedia_tool(Wikipedia(settings))
        recall = recall_tool(
            lambda runtime: branch_memory(memory, runtime.state, runtime), settings
        )
        model_slots = asyncio.Semaphore(settings.simulations_at_once)
        return cls(settings, Models(settings), memory, [wikipedia, recall], model_slots)

    async def aclose(self) -> None:
        """Wait for background work, then close connections and files.

        If this is cancelled, it stops waiting and closes them all the same.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.memory.aclose)
            stack.push_async_callback(self.models.aclose)
            await self.refreshing.finish()
