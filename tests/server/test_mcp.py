"""``/mcp``: the memory over streamable HTTP, asked by the official client."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult

from tests.support.our_routes import ids
from tests.support.server import Server

USERS = count()
Answer = Callable[[str], ElicitResult]


@pytest.fixture(scope="module", params=["token_server", "postgres_server"])
def server(request: pytest.FixtureRequest) -> Server:
    """The development server, then the one on Postgres."""
    shared: Server = request.getfixturevalue(request.param)
    return shared


@pytest.fixture
def user() -> str:
    """Somebody new: the servers are shared."""
    return f"mcp-{next(USERS)}"


@asynccontextmanager
async def connected(
    server: Server, user: str, answer: Answer | None = None, mode: Any = "auto"
) -> AsyncIterator[Client]:
    """A client with the user's token; ``answer`` is what the person says when asked."""

    async def asked(_: Any, params: ElicitRequestParams) -> ElicitResult:
        assert answer is not None
        return answer(params.message)

    async with httpx2.AsyncClient(headers=server.headers(user), timeout=30) as http:
        transport = streamable_http_client(f"{server.url}/mcp", http_client=http)
        callback = asked if answer else None
        async with Client(transport, elicitation_callback=callback, mode=mode) as client:
            yield client


def refuses(_: str) -> ElicitResult:
    return ElicitResult(action="decline")


def agrees(_: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"forget": True})


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_each_caller_reaches_their_own_memory_alone(
    server: Server, user: str, mode: str
) -> None:
    async with connected(server, user, mode=mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {
            "recall",
            "remember",
            "why",
            "forget",
        }
        written = await call(client, "remember", text="My dog is called Rex.")
        found = (await call(client, "recall", text="dog called"))["result"]
        assert [each["id"] for each in found] == [written["id"]]
        [persona] = (await client.read_resource("persona://current")).contents
        assert "rules" in persona.text
        async with connected(server, f"{user}-stranger", mode=mode) as stranger:
            assert (await call(stranger, "recall", text="dog called"))["result"] == []
            unknown = await stranger.call_tool("why", {"episode_id": written["id"]})
            assert unknown.is_error


async def test_what_it_is_told_is_an_episode_without_ground_truth(
    server: Server, user: str
) -> None:
    async with connected(server, user) as client, server.http(user) as http:
        written = await call(client, "remember", text="I live in Graz.", answer="Noted.")
        episode = (await http.get(f"/me/episodes/{written['id']}")).json()
        assert (episode["ground_truth"], episode["source"]) == (None, "mcp")


async def test_nothing_is_written_while_its_user_has_paused_remembering(
    server: Server, user: str
) -> None:
    async with connected(server, user) as client, server.http(user) as http:
        (await http.put("/me/remembering", json={"paused": True})).raise_for_status()
        refused = await client.call_tool("remember", {"text": "I live in Graz."})
        assert refused.is_error
        assert "paused" in str(refused.content)
        assert await ids(http) == []


async def test_nothing_is_forgotten_unless_the_person_agrees(server: Server, user: str) -> None:
    async with server.http(user) as http:
        async with connected(server, user) as client:  # it cannot ask
            written = [
                (await call(client, "remember", text=f"My pet {n}."))["id"] for n in range(3)
            ]
            with pytest.raises(Exception, match=r"(?i)elicit"):
                await client.call_tool("forget", {"episode_ids": written})
        async with connected(server, user, refuses) as client:
            assert (await client.call_tool("forget", {"episode_ids": written})).is_error
        assert len(await ids(http)) == 3
        asked: list[str] = []
        async with connected(
            server, user, lambda text: asked.append(text) or agrees(text)
        ) as client:
            gone = await call(client, "forget", episode_ids=written[:2])
        assert {*gone["episodes"]} == {*written[:2]}
        assert await ids(http) == written[2:]
        assert "My pet 0." in asked[0]


async def test_who_shows_no_token_gets_nothing(server: Server) -> None:
    for headers in ({}, {"Authorization": "Bearer forged"}):
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
            refused = await http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_there_is_no_stream_and_no_session(server: Server, user: str) -> None:
    async with server.http(user) as http:
        for method in ("GET", "DELETE"):
            refused = await http.request(method, "/mcp")
            assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


async def test_the_log_names_no_user(server: Server) -> None:
    async with connected(server, "a-name-of-its-own") as client:
        assert (await client.call_tool("why", {"episode_id": "none"})).is_error
    assert "a-name-of-its-own" not in server.log
