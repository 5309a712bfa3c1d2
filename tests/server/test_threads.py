"""``/me/threads``: a user's conversations, by title and by what was said in them."""

from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from tests.support.our_routes import ask
from tests.support.server import Server


@pytest.fixture(scope="module", params=["token_server", "open_server", "postgres_server"])
def server(request: pytest.FixtureRequest) -> Server:
    """The development server with and without tokens, then the one on Postgres."""
    shared: Server = request.getfixturevalue(request.param)
    return shared


async def titles(http: httpx.AsyncClient, **asked: Any) -> list[str]:
    page = await http.get("/me/threads", params=asked)
    return [each["title"] for each in page.raise_for_status().json()["items"]]


async def test_conversations_are_found_by_title_question_and_answer(
    sdk: LangGraphClient, http: httpx.AsyncClient, server: Server
) -> None:
    rex = (await ask(sdk, "My dog is called Rex."))["thread_id"]
    await ask(sdk, "Which bread do I like?")
    assert await titles(http) == ["Which bread do I like?", "My dog is called Rex."]
    assert await titles(http, search="BREAD") == ["Which bread do I like?"]
    assert await titles(http, search="do not know") == [
        "Which bread do I like?",
        "My dog is called Rex.",
    ]
    assert await titles(http, search="cheese") == []
    await sdk.threads.update(rex, metadata={"title": "Pets"})
    assert await titles(http, search="pets") == ["Pets"]
    assert await titles(http, search="Rex") == ["Pets"]
    await sdk.threads.delete(rex)
    assert await titles(http) == ["Which bread do I like?"]


async def test_pages_hold_each_conversation_once(
    sdk: LangGraphClient, http: httpx.AsyncClient
) -> None:
    for number in range(3):
        await ask(sdk, f"Question {number}?")
    first = (await http.get("/me/threads", params={"limit": 2})).json()
    second = (await http.get("/me/threads", params={"limit": 2, "cursor": first["next"]})).json()
    found = [each["title"] for each in first["items"] + second["items"]]
    assert found == ["Question 2?", "Question 1?", "Question 0?"]
    assert second["next"] is None


async def test_nobody_sees_the_conversations_of_another_or_of_alignment(
    sdk: LangGraphClient, http: httpx.AsyncClient, server: Server, user: str
) -> None:
    await ask(sdk, "My dog is called Rex.")
    (await http.post("/me/alignments", json={"dry_run": True})).raise_for_status()
    assert await titles(http) == ["My dog is called Rex."]
    async with server.http(f"{user}-other") as other:
        assert await titles(other) == []
        assert await titles(other, search="Rex") == []
