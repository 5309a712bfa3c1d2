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
    """

    async def timed(
        state: AgentState, runtime: Runtime[AgentContext], config: RunnableConfig
    ) -> Any:
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds) as limit:
                return await node(state, runtime, config)
        except TimeoutError as error:
            if not limit.expired():
                raise
            elapsed = time.monotonic() - began
            raise NodeTimeoutError(name, elapsed, kind="run", run_timeout=seconds) from error

    return timed
