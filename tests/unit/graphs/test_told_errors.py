"""What is kept of an error that a node raises."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, RetryPolicy, interrupt

from personaagent.core.errors import ModelUnavailable, ToldError, UsageError
from personaagent.core.settings import load_settings
from personaagent.core.states import AgentContext
from personaagent.graphs.agent import build
from personaagent.graphs.told_errors import tell_errors
from personaagent.models.invoke import is_transient
from tests.support.scripted_model import scripted_dependencies
from tests.unit.memory.test_recall import Broken

ADDRESS = "http://10.1.2.3:8000"
CONFIG: Any = {"configurable": {"thread_id": "t1"}}


def graph_of(node: Any, *, for_users: bool, **options: Any) -> Any:
    graph: Any = StateGraph(dict).add_node("step", node, **options).set_entry_point("step")
    return tell_errors(graph, for_users=for_users).compile(checkpointer=InMemorySaver())


async def everything_told(graph: Any) -> str:
    """What a client can read of a run that failed: its events, its exception, state and history."""
    modes = ["values", "updates", "debug", "tasks", "checkpoints"]
    told: list[Any] = []
    try:
        told.extend([event async for event in graph.astream({}, CONFIG, stream_mode=modes)])
    except Exception as error:
        told += [repr(error), str(error)]
    assert told
    told.append(await graph.aget_state(CONFIG))
    told += [state async for state in graph.aget_state_history(CONFIG)]
    return str(told)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelUnavailable(f"{ADDRESS} is down; it said: go away."), "ModelUnavailable"),
        (KeyError(ADDRESS), "KeyError"),
        (ExceptionGroup(ADDRESS, [ValueError(ADDRESS)]), "ExceptionGroup"),
        (ToldError("The server failed (OSError)."), "OSError"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_users_of_a_server_find_the_kind_and_no_more(error: Exception, kind: str) -> None:
    async def fail(_: dict[str, Any]) -> None:
        raise error

    told = await everything_told(graph_of(fail, for_users=True))
    assert ADDRESS not in told
    assert kind in told


async def test_what_may_be_tried_again_is() -> None:
    tries = 0

    async def fail(_: dict[str, Any]) -> None:
        nonlocal tries
        tries += 1
        raise ModelUnavailable(ADDRESS, retried=False)

    retry = RetryPolicy(max_attempts=2, retry_on=is_transient, initial_interval=0.01)
    assert ADDRESS not in await everything_told(graph_of(fail, for_users=True, retry_policy=retry))
    assert tries == 2


async def test_a_graph_within_tells_as_the_one_around_it() -> None:
    async def fail(_: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        raise ModelUnavailable(ADDRESS)

    within: Any = StateGraph(dict).add_node("inner", fail).set_entry_point("inner")
    compiled = tell_errors(within).compile()

    async def ask(state: dict[str, Any]) -> Any:
        return await compiled.ainvoke(state)

    assert ADDRESS not in await everything_told(graph_of(ask, for_users=True))
    assert ADDRESS in await everything_told(graph_of(ask, for_users=False))


async def test_an_interrupt_is_no_error() -> None:
    async def ask(_: dict[str, Any]) -> dict[str, Any]:
        return {"answer": interrupt("Well?")}

    graph = graph_of(ask, for_users=True)
    stopped = await graph.ainvoke({}, CONFIG)
    assert stopped["__interrupt__"][0].value == "Well?"
    assert await graph.ainvoke(Command(resume="Yes."), CONFIG) == {"answer": "Yes."}


@pytest.mark.parametrize("for_users", [True, False])
async def test_tools_run_as_they_did(for_users: bool) -> None:
    async def look_up(query: str) -> str:
        """Look it up."""
        if query == "wrong":
            raise UsageError("Say what.")
        return query.upper()

    from personaagent.nodes.agent.tools import _error_message

    tools = [StructuredTool.from_function(coroutine=look_up)]
    node = ToolNode(tools, handle_tool_errors=_error_message)
    graph = graph_of(node, for_users=for_users)
    calls: list[Any] = [
        {"name": "look_up", "args": {"query": query}, "id": query, "type": "tool_call"}
        for query in ("rex", "wrong")
    ]
    state = {"messages": [HumanMessage("Rex?"), AIMessage("", tool_calls=calls)]}
    done = await graph.ainvoke(state, CONFIG)
    assert [message.content for message in done["messages"]] == ["REX", "Say what."]


@pytest.mark.parametrize("for_users", [True, False])
async def test_the_warnings_of_a_turn_tell_users_the_kind(for_users: bool, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    deps, _ = scripted_dependencies(settings, lambda _: "An answer.", Broken())  # type: ignore[arg-type]
    graph = tell_errors(build(deps), for_users=for_users)
    state = await graph.compile(store=InMemoryStore()).ainvoke(
        {"messages": [HumanMessage("Who is Rex?")]}, context=AgentContext(user_id="anna")
    )
    warnings = str(state["warnings"])
    assert "Remembered; " in warnings
    assert ("on holiday" not in warnings) == for_users
    assert ("IndexUnavailable" in warnings) == for_users
