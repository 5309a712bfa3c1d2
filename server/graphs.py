"""The server's graphs, named by ``langgraph.json``, and the dependencies they share with our routes.

Importing this module builds nothing. Each graph is built when the server first asks for it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from langgraph_sdk.runtime import ServerRuntime

from personaagent.core.alignment_state import AlignmentContext
from personaagent.core.once import Once
from personaagent.core.states import AgentContext
from personaagent.graphs import agent as agent_graph
from personaagent.graphs import alignment as alignment_graph
from personaagent.graphs.audience_errors import tell_errors
from personaagent.nodes.dependencies import Dependencies
from personaagent.server.data_folder import exclusive


def _make_agent() -> CompiledStateGraph[Any, AgentContext, Any, Any]:
    deps = dependencies.get()
    graph: CompiledStateGraph[Any, AgentContext, Any, Any] = tell_errors(
        agent_graph.build(deps), for_users=True
    ).compile(name=agent_graph.NAME)
    return graph.with_config(
        tags=agent_graph.TAGS, recursion_limit=agent_graph.recursion_limit(deps.settings)
    )


def _make_alignment() -> CompiledStateGraph[Any, AlignmentContext, Any, Any]:
    graph: CompiledStateGraph[Any, AlignmentContext, Any, Any] = tell_errors(
        alignment_graph.build(dependencies.get()), for_users=True
    ).compile(name=alignment_graph.NAME)
    return graph.with_config(
        tags=alignment_graph.TAGS, recursion_limit=alignment_graph.RECURSION_LIMIT
    )


dependencies = Once(Dependencies.from_settings)
"""What both graphs and our routes use; made once in a server's process."""
_agent = Once(_make_agent)
_alignment = Once(_make_alignment)


async def agent() -> CompiledStateGraph[Any, AgentContext, Any, Any]:
    """The agent's graph; the server adds its store and checkpointer."""
    return await _agent.aget()


async def alignment() -> CompiledStateGraph[Any, AlignmentContext, Any, Any]:
    """The graph of alignment; the server adds its store and checkpointer."""
    return await _alignment.aget()


@asynccontextmanager
async def exclusive_alignment(
    runtime: ServerRuntime[Any],
) -> AsyncIterator[CompiledStateGraph[Any, AlignmentContext, Any, Any]]:
    """The same for a server that shares the data folder: the command aligns nobody whom a run aligns.

    Raises:
        Conflict: the command is aligning the user.
    """
    user = _user(runtime) if runtime.execution_runtime else ""
    async with exclusive(user) if user else nullcontext():
        yield await alignment()


def _user(runtime: ServerRuntime[Any]) -> str:
    """Whose run this is; empty if nobody's, which the graph refuses."""
    if runtime.user is not None and runtime.user.is_authenticated and runtime.user.identity:
        return runtime.user.identity
    context = runtime.execution_runtime and runtime.execution_runtime.context
    return str(context.get("user_id") or "") if isinstance(context, Mapping) else ""
