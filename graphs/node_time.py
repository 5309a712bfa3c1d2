"""How long a node may take."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import NodeTimeoutError
from langgraph.runtime import Runtime

from personaagent.core.states import AgentContext, AgentState

Node = Callable[[AgentState, Runtime[AgentContext], RunnableConfig], Awaitable[Any]]


def within(seconds: float, name: str, node: Node) -> Any:
    """``node``, which is given up after so many seconds with the error of LangGraph's own time-out.

    That one runs each node as a task beside a second one that waits for its time to be over; here a
    timer is enough.

    Args:
        seconds: each attempt has so many.
        name: of the node in its graph.
        node: takes its run's configuration, too.

    Raises (the node that is returned):
        NodeTimeoutError: its time was over.
    """

    async def timed(
        state: AgentState, runtime: Runtime[AgentContext], config: RunnableConfig
    ) -> Any:
        began, limit = time.monotonic(), asyncio.timeout(seconds)
        update: Any = None
        late: Exception | None = None
        try:
            async with limit:
                update = await node(state, runtime, config)
        except Exception as error:
            if not limit.expired():
                raise
            late = error
        if limit.expired():  # whatever the node has made of being cancelled
            elapsed = time.monotonic() - began
            raise NodeTimeoutError(name, elapsed, kind="run", run_timeout=seconds) from late
        return update

    return timed
