"""The episode of an answer, as each kind of stream of LangGraph's clients tells it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

from tests.support.our_routes import ask
from tests.support.server import Server

QUESTION = "What is my dog called?"


@pytest.fixture(scope="module", params=["token_server", "postgres_server"])
def server(request: pytest.FixtureRequest) -> Server:
    """The development server, then the one on Postgres."""
    shared: Server = request.getfixturevalue(request.param)
    return shared


@pytest.fixture
async def sdk(server: Server) -> AsyncIterator[LangGraphClient]:
    async with server.sdk("episodes-of-answers") as sdk:
        await ask(sdk, "My dog is called Rex.")
        yield sdk


async def streamed(sdk: LangGraphClient, mode: Any, **context: Any) -> tuple[list[Any], Any]:
    """What a question's stream holds, and the thread's last message then."""
    thread = (await sdk.threads.create())["thread_id"]
    asked = {"messages": [{"role": "user", "content": QUESTION}]}
    stream = sdk.runs.stream(thread, "agent", input=asked, context=context, stream_mode=mode)
    events = [event async for event in stream]
    state: Any = (await sdk.threads.get_state(thread))["values"]
    assert state["messages"][-1]["additional_kwargs"]["episode_id"] == state["episode_id"]
    return events, state["messages"][-1]


@pytest.mark.parametrize("context", [{}, {"answers": ["Fido", "Rex"]}], ids=["open", "choice"])
async def test_pieces_of_messages_end_with_it(
    sdk: LangGraphClient, context: dict[str, Any]
) -> None:
    events, answer = await streamed(sdk, "messages-tuple", **context)
    pieces = [event.data[0] for event in events if event.event == "messages"]
    ours = [each for each in pieces if each["id"] == answer["id"]]
    assert "".join(each["content"] for each in ours) == answer["content"]
    assert ours[-1]["additional_kwargs"]["episode_id"] == answer["additional_kwargs"]["episode_id"]


@pytest.mark.parametrize("context", [{}, {"answers": ["Fido", "Rex"]}], ids=["open", "choice"])
async def test_whole_messages_end_with_it(sdk: LangGraphClient, context: dict[str, Any]) -> None:
    events, answer = await streamed(sdk, "messages", **context)
    told = [each for event in events if isinstance(event.data, list) for each in event.data]
    last = [each for each in told if each.get("id") == answer["id"]][-1]
    assert last["content"] == answer["content"]
    assert last["additional_kwargs"]["episode_id"] == answer["additional_kwargs"]["episode_id"]
