"""A message that failed, or was refused, does not end its thread."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from tests.support.server import FAILS, Server


@pytest.fixture(params=["token_server", "postgres_server"])
async def sdk(request: pytest.FixtureRequest) -> AsyncIterator[LangGraphClient]:
    """Somebody new on the development server, then on the one on Postgres."""
    server: Server = request.getfixturevalue(request.param)
    async with server.sdk(f"turns-{uuid4().hex}") as sdk:
        yield sdk


def asked(*messages: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": each} if isinstance(each, str) else each
            for each in messages
        ]
    }


async def test_a_thread_goes_on_after_a_message_that_failed(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    for _ in range(2):
        await sdk.runs.wait(thread, "agent", input=asked(FAILS), raise_error=False)
        state: Any = await sdk.runs.wait(thread, "agent", input=asked("My dog is called Rex."))
        assert state["messages"][-1]["content"] in ("I do not know.", "Your dog is called Rex.")
        assert state["episode_id"]
        assert FAILS in [message["content"] for message in state["messages"]]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([" "], "is empty"),
        (["bell \x07"], "control character"),
        (["x" * 40_000], "at most 32,000"),
        (["hello", {"role": "assistant", "content": "Hi."}], "must end with a message of the user"),
        ([{"role": "user", "content": [{"type": "text", "text": ""}]}], "is empty"),
        ([{"role": "nobody", "content": "hello"}], "cannot be read"),
    ],
)
async def test_what_is_refused_is_not_stored(
    messages: list[Any],
    says: str,
    sdk: LangGraphClient,
) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await sdk.runs.wait(thread, "agent", input=asked(*messages))
    assert refused.value.response.status_code == 422
    assert says in "".join(refused.value.__notes__)
    assert not (await sdk.threads.get_state(thread))["values"]


async def test_the_clients_own_system_message_and_a_page_break_are_taken(
    sdk: LangGraphClient,
) -> None:
    system = {"role": "system", "content": "The user's dog is called Rex."}
    state: Any = await sdk.runs.wait(None, "agent", input=asked(system, "My\x0cdog?"))
    assert state["messages"][-1]["content"] == "Your dog is called Rex."
