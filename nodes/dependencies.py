"""The parts that nodes work with: settings, models, memory, tools. Made once for a process."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolRuntime
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from personaagent.core.errors import ConfigurationError, UsageError
from personaagent.core.settings import Settings, load_settings
from personaagent.core.states import AgentContext
from personaagent.core.tracing import describe, prepare_tracing
from personaagent.core.users import check_user_id
from personaagent.memory.hiding import NOTHING_HIDDEN, Hidden
from personaagent.memory.index.open import INDEX_FOLDER
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.models.chat import Models
from personaagent.models.embeddings import Embedder, make_embedder
from personaagent.nodes.background_tasks import Background
from personaagent.tools.recall_episodes import recall_tool
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool


@dataclass(frozen=True)
class Dependencies:
    """What a process has one of. Nothing in it is opened, loaded or connected before its use.

    ``model_slots`` is for the model calls of alignments, of all users: each takes its turn, so that
    together they are no more than the endpoint takes. Who asks the agent does not wait there.
    ``refreshing`` are the summaries that are being brought up to date.
    """

    settings: Settings
    models: Models
    memory: Memory
    tools: list[BaseTool]
    model_slots: asyncio.Semaphore
    refreshing: Background[None] = field(
        default_factory=lambda: Background("The refresh of the profile summary")
    )

    @classmethod
    def make(
        cls,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        *,
        index_folder: str = INDEX_FOLDER,
    ) -> "Dependencies":
        """The parts that the settings (default: those of the environment) ask for.

        ``index_folder`` is as of ``Memory``.
        """
        settings = settings or load_settings()
        prepare_tracing(settings)
        memory = Memory(settings, embedder or make_embedder(settings), index_folder=index_folder)
        wikipedia = search_wikipedia_tool(Wikipedia(settings))
        recall = recall_tool(lambda runtime: user_memory(memory, runtime), settings)
        model_slots = asyncio.Semaphore(settings.simulations_at_once)
        return cls(settings, Models(settings), memory, [wikipedia, recall], model_slots)

    async def aclose(self) -> None:
        """Wait for what goes on beside the conversations, and let go of connections and files.

        Cancelled, it waits for nothing more, and lets go all the same.
        """
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.memory.aclose)
            closing.push_async_callback(self.models.aclose)
            await self.refreshing.finish()


def user_memory(memory: Memory, runtime: Runtime[Any] | ToolRuntime[Any, Any]) -> UserMemory:
    """The memory of the user whose run this is: the only one that a node or tool can reach.

    On a server it is the authenticated user's, whatever the client's context says. What the
    context hides does not come up in it.
    """
    user_id, info = _user_id(runtime), runtime.execution_info
    describe(user_id=user_id, thread=info.thread_id if info else None)
    return memory.of(_store(runtime), user_id).hiding(_hidden(runtime))


def _user_id(runtime: Runtime[Any] | ToolRuntime[Any, Any]) -> str:
    server = runtime.server_info
    user = None if server is None else server.user
    if user is not None and user.is_authenticated and user.identity:
        return check_user_id(user.identity)
    if runtime.context is None or not runtime.context.user_id:
        raise UsageError("The run's context has no user_id: say whose memory is meant.")
    return str(runtime.context.user_id)


def _hidden(runtime: Runtime[Any] | ToolRuntime[Any, Any]) -> Hidden:
    context = runtime.context
    if not isinstance(context, AgentContext):
        return NOTHING_HIDDEN
    return Hidden(context.hidden, context.before)


def _store(runtime: Runtime[Any] | ToolRuntime[Any, Any]) -> BaseStore:
    if runtime.store is None:
        raise ConfigurationError("The graph was compiled without a store: memory has no place.")
    return runtime.store
