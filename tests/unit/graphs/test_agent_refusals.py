"""Whose run it is, and what the agent refuses before it does anything."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import ValidationError

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.errors import UsageError
from personaagent.graphs.agent import build
from personaagent.graphs.alignment import build as build_alignment
from personaagent.nodes.dependencies import Dependencies
from tests.support.agent import MakeAgent
from tests.support.memories import episode, remember

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.mark.parametrize(
    ("context", "error"),
    [
        ({"bogus": 1}, ValidationError),
        ({"top_k": -1}, UsageError),
        ({"top_k": 101}, UsageError),
        ({"user_id": ""}, UsageError),
        ({"user_id": "a\nb"}, UsageError),
        ({"user_id": "x" * 129}, UsageError),
        ({"task": "x" * 101}, UsageError),
    ],
)
async def test_a_context_that_is_refused(
    agent: MakeAgent, context: dict[str, Any], error: type[Exception]
) -> None:
    anna = agent(lambda prompt: "ok")
    with pytest.raises(error):
        await anna.ask("hello", **context)
    assert anna.prompts == []
    assert await anna.store.asearch((), limit=1) == []


@pytest.mark.parametrize("context", [None, {}])
@pytest.mark.parametrize("graph", [build, build_alignment], ids=["agent", "alignment"])
async def test_a_run_without_a_user_ends_in_one_sentence(
    agent: MakeAgent, graph: Callable[[Dependencies], Any], context: dict[str, Any] | None
) -> None:
    """On a server a client may leave the context out."""
    anna = agent(lambda prompt: "ok")
    compiled = graph(anna.deps).compile(store=anna.store, checkpointer=anna.saver)
    arguments = anna.arguments("hello", "t1") | {"context": context}
    with pytest.raises(UsageError, match="has no user_id: say whose memory is meant"):
        await compiled.ainvoke(**arguments)


@pytest.mark.parametrize("graph", [build, build_alignment], ids=["agent", "alignment"])
async def test_a_server_knows_the_user_without_a_context(
    agent: MakeAgent, graph: Callable[[Dependencies], Any]
) -> None:
    anna = agent(lambda prompt: "ok")
    await remember(anna.memory(), episode("e1", ground_truth="rye"))
    compiled = graph(anna.deps).compile(store=anna.store, checkpointer=anna.saver)
    thread = "t1" if graph is build else alignment_thread("anna")
    arguments = anna.arguments("hello", thread) | {"context": None}
    user = SimpleNamespace(identity="anna", is_authenticated=True)
    arguments["config"]["configurable"]["langgraph_auth_user"] = user
    state = await compiled.ainvoke(**arguments)
    assert (
        "e1" in str(state["recalled"]) if graph is build else "1 labelled" in str(state["result"])
    )


@pytest.mark.parametrize("text", ["", " \n", "a\x00b", "\ud800", "x" * 40_000])
async def test_a_query_that_is_refused(agent: MakeAgent, text: str) -> None:
    anna = agent(lambda prompt: "ok")
    with pytest.raises(UsageError):
        await anna.ask(text)
    assert anna.prompts == []


async def test_the_last_message_must_be_the_users(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: "ok")
    arguments = anna.arguments("", "t1") | {"input": {"messages": [AIMessage("I am the user.")]}}
    with pytest.raises(UsageError, match="must end with a message of the user"):
        await anna.graph.ainvoke(**arguments)
