"""What an error of a node says of itself, before LangGraph keeps it with the thread."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, TypeVar

from langgraph.errors import GraphBubbleUp
from langgraph.graph import StateGraph

from personaagent.core.audience import audience_error, for_users_of_a_server

Graph = TypeVar("Graph", bound=StateGraph[Any, Any, Any, Any])
Node = Callable[..., Awaitable[Any]]


def tell_errors(graph: Graph, *, for_users: bool = False) -> Graph:
    """The same graph, each of whose nodes raises what its audience may know (``core/audience.py``).

    With ``for_users`` that is the users of a server; else whoever runs the graph decides.
    """
    for node in graph.nodes.values():
        runnable: Any = node.runnable  # a ``RunnableCallable``: all nodes are functions or ToolNode
        runnable.afunc = _telling(runnable.afunc, for_users=for_users)
    return graph


def _telling(node: Node, *, for_users: bool) -> Node:
    @wraps(node)
    async def tell(*args: Any, **options: Any) -> Any:
        with for_users_of_a_server() if for_users else nullcontext():
            try:
                return await node(*args, **options)
            except GraphBubbleUp:  # no error: an interrupt, or a command to the graph above
                raise
            except Exception as error:
                if (shown := audience_error(error)) is error:
                    raise
                raise shown from None

    return tell
