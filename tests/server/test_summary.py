"""On a server the profile summary comes up to date by itself, and the next turn knows of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from tests.support.endpoint import Reply
from tests.support.server import Server, running_server

STATEMENT = "The user keeps a dog, Rex."


def answer(body: dict[str, Any]) -> Reply:
    """The critic states what it is shown of the dog; the actor knows what its profile says."""
    told = str(body["messages"])
    if "response_format" in body:
        shown = "Rex is my dog" in told
        change = {"statement": "new", "text": STATEMENT, "evidence": ["E1"]}
        return json.dumps({"changes": [change] if shown else []})
    return "I know Rex." if STATEMENT in told else "I know of no dog."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("summary")
    with running_server(folder, answer, PERSONAAGENT_SUMMARY_EVERY="2") as server:
        yield server


async def said(client: LangGraphClient, text: str) -> str:
    """The answer to a message in a conversation of its own."""
    asked = {"messages": [{"role": "user", "content": text}]}
    state: Any = await client.runs.wait(None, "agent", input=asked)
    return str(state["messages"][-1]["content"])


async def test_a_summary_that_is_due_comes_by_itself_and_is_told_the_next_time(
    server: Server,
) -> None:
    async with server.sdk("anna") as client, server.http("anna") as http:

        async def summary() -> list[dict[str, Any]]:
            return list((await http.get("/me/profile")).raise_for_status().json()["summary"])

        await said(client, "Rex is my dog.")
        assert await summary() == []
        assert await said(client, "Do you know my pet?") == "I know of no dog."
        [statement] = await AsyncRetrying(
            wait=wait_fixed(0.2), stop=stop_after_delay(60), retry=retry_if_result(lambda s: not s)
        )(summary)
        assert statement["text"] == STATEMENT
        assert await said(client, "And now?") == "I know Rex."
    async with server.http("ben") as http:
        assert (await http.get("/me/profile")).raise_for_status().json()["summary"] == []
