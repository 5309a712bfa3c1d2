"""A node that takes too long ends as with LangGraph's own time-out, and so does one that is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from langgraph.errors import NodeTimeoutError
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from personaagent.core.states import AgentState
from personaagent.graphs.node_time import within

SECONDS = 0.05
Work = Callable[[], Awaitable[Any]]


def graph_of(work: Work, *, ours: bool, retry: RetryPolicy | None = None) -> Any:
    async def node(state: AgentState, *_: Any) -> Any:
        return await work()

    graph = StateGraph(AgentState)
    if ours:
        graph.add_node("slow", within(SECONDS, "slow", node), retry_policy=retry)
    else:
        graph.add_node("slow", node, retry_policy=retry, timeout=SECONDS)
    graph.add_edge(START, "slow")
    graph.add_edge("slow", END)
    return graph.compile()


async def never() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("ours", [True, False])
async def test_the_error_names_the_node_and_its_time(ours: bool) -> None:
    with pytest.raises(NodeTimeoutError) as raised:
        await graph_of(never, ours=ours).ainvoke({"steps": 0})
    error = raised.value
    assert (error.node, error.kind, error.run_timeout) == ("slow", "run", SECONDS)
    assert error.idle_timeout is None
    assert SECONDS <= error.elapsed < 30
    assert not isinstance(error, TimeoutError)


@pytest.mark.parametrize("ours", [True, False])
async def test_a_time_out_within_the_node_stays_its_own(ours: bool) -> None:
    async def gives_up() -> None:
        async with asyncio.timeout(0):
            await never()

    with pytest.raises(TimeoutError):
        await graph_of(gives_up, ours=ours).ainvoke({"steps": 0})


@pytest.mark.parametrize("ours", [True, False])
async def test_each_attempt_has_the_time_to_itself(ours: bool) -> None:
    attempts: list[int] = []

    async def slow_at_first() -> dict[str, int]:
        attempts.append(1)
        if len(attempts) == 1:
            await never()
        await asyncio.sleep(SECONDS / 2)
        return {"steps": 7}

    retry = RetryPolicy(max_attempts=2, initial_interval=0.01, jitter=False)
    state = await graph_of(slow_at_first, ours=ours, retry=retry).ainvoke({"steps": 0})
    assert (state["steps"], len(attempts)) == (7, 2)


@pytest.mark.parametrize("ours", [True, False])
async def test_whoever_cancels_the_run_cancels_the_node(ours: bool) -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def until_cancelled() -> None:
        began.set()
        try:
            await never()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    run = asyncio.create_task(graph_of(until_cancelled, ours=ours).ainvoke({"steps": 0}))
    await began.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    async with asyncio.timeout(5):
        await cancelled.wait()


@pytest.mark.parametrize("ours", [True, False])
async def test_a_node_that_does_not_let_itself_be_cancelled_has_run_out_of_time_all_the_same(
    ours: bool,
) -> None:
    async def stubborn() -> dict[str, int]:
        with suppress(asyncio.CancelledError):
            await never()
        return {"steps": 7}

    with pytest.raises(NodeTimeoutError):
        await graph_of(stubborn, ours=ours).ainvoke({"steps": 0})


@pytest.mark.parametrize("ours", [True, False])
async def test_so_has_one_that_fails_because_it_is_cancelled(ours: bool) -> None:
    async def fails() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            raise RuntimeError("cut off") from None

    with pytest.raises(NodeTimeoutError):
        await graph_of(fails, ours=ours).ainvoke({"steps": 0})
