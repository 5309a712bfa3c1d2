"""What is still being said on a thread is heard by its owner alone: streams and WebSockets."""

import asyncio
import json
from typing import Any

import pytest
import websockets

from tests.support.server import Server

TURN = {"messages": [{"role": "user", "content": "My dog is called Rex."}]}
SUBSCRIBE = {"id": 1, "method": "subscription.subscribe", "params": {"channels": ["values"]}}
START = {"id": 2, "method": "run.start", "params": {"assistant_id": "agent", "input": TURN}}


async def heard_on_socket(address: str, headers: dict[str, str]) -> str:
    """All that comes until the server hangs up, or an event has come."""
    heard = ""
    async with websockets.connect(address, additional_headers=headers) as socket:
        try:
            for said in (SUBSCRIBE, START):
                await socket.send(json.dumps(said))
            while '"type":"event"' not in heard:
                heard += str(await asyncio.wait_for(socket.recv(), 30))
        except websockets.ConnectionClosed:
            pass
    return heard


async def test_a_socket_tells_a_stranger_nothing(token_server: Server) -> None:
    async with token_server.sdk("livia") as client:
        thread = await client.threads.create()
        path = f"/threads/{thread['thread_id']}/stream/events"
        address = token_server.url.replace("http", "ws") + path
        for name in (None, "X-User-Id"):
            with pytest.raises(websockets.InvalidStatus):
                await heard_on_socket(address, {name: "livia"} if name else {})
        listening = asyncio.create_task(heard_on_socket(address, token_server.headers("otto")))
        await client.runs.wait(thread["thread_id"], "agent", input=TURN)
        strangers = await listening
        assert '"type":"event"' not in strangers
        assert "Rex" not in strangers
        assert len(await client.runs.list(thread["thread_id"])) == 1
        assert "Rex" in await heard_on_socket(address, token_server.headers("livia"))


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("GET", "/threads/{thread}/stream", None),
        ("POST", "/threads/{thread}/stream/events", {"channels": ["values", "messages"]}),
        ("GET", "/threads/{thread}/runs/{run}/stream", None),
    ],
)
async def test_a_stream_tells_a_stranger_nothing(
    token_server: Server, verb: str, path: str, body: Any
) -> None:
    async with token_server.sdk("livia") as client, token_server.http("otto") as stranger:
        thread = (await client.threads.create())["thread_id"]
        run = await client.runs.create(thread, "agent", input=TURN)
        filled = path.format(thread=thread, run=run["run_id"])
        answer = await stranger.request(verb, filled, json=body)
        await client.runs.join(thread, run["run_id"])
        assert "Rex" not in answer.text
        assert answer.text == "" or "404: " in answer.text


@pytest.mark.parametrize(
    "path", ["/mcp", "/a2a/agent", "/noauth/threads", "/ui/agent", "//threads"]
)
async def test_there_is_no_back_door(token_server: Server, path: str) -> None:
    async with token_server.http(None) as client:
        for verb in ("GET", "POST"):
            answer = await client.request(verb, f"{token_server.url}{path}", json={})
            assert answer.status_code in (401, 404, 405), answer.text
