"""The server's graphs, named by ``langgraph.json``, and the dependencies they share with our routes.

Importing this module builds nothing. Each graph is built when the server first asks for it.
"""

from typing import Any

from langgraph.graph.state import CompiledStateGraph

from personaagent.core.alignment_state import AlignmentContext
from personaagent.core.once import Once
from personaagent.core.states import AgentContext
from personaagent.graphs import agent as agent_graph
from personaagent.graphs import alignment as alignment_graph
from personaagent.nodes.dependencies import Dependencies

INDEX_FOLDER = "server-index"
"""A server has its own store, so it needs its own index: the index of the command, in the same data
folder, belongs to another store."""


def _make_agent() -> CompiledStateGraph[Any, AgentContext, Any, Any]:
    deps = dependencies.get()
    graph: CompiledStateGraph[Any, AgentContext, Any, Any] = agent_graph.build(deps).compile(
        name=agent_graph.NAME
    )
    return graph.with_config(
        tags=agent_graph.TAGS, recursion_limit=agent_graph.recursion_limit(deps.settings)
    )


def _make_alignment() -> CompiledStateGraph[Any, AlignmentContext, Any, Any]:
    graph: CompiledStateGraph[Any, AlignmentContext, Any, Any] = alignment_graph.build(
        dependencies.get()
    ).compile(name=alignment_graph.NAME)
    return graph.with_config(
        tags=alignment_graph.TAGS, recursion_limit=alignment_graph.RECURSION_LIMIT
    )


dependencies = Once(lambda: Dependencies.from_settings(index_folder=INDEX_FOLDER))
"""What both graphs and our routes use; made once in a server's process."""
_agent = Once(_make_agent)
_alignment = Once(_make_alignment)


async def agent() -> CompiledStateGraph[Any, AgentContext, Any, Any]:
    """The agent's graph; the server adds its store and checkpointer."""
    return await _agent.aget()


async def alignment() -> CompiledStateGraph[Any, AlignmentContext, Any, Any]:
    """The graph of alignment; the server adds its store and checkpointer."""
    return await _alignment.aget()
