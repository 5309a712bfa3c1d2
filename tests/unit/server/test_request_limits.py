"""What stands before all routes: the length of bodies, and how often a user may ask."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langgraph.store.memory import InMemoryStore
from starlette.types import ASGIApp, Receive, Scope, Send

from personaagent.core.errors import DataError, LimitReached
from personaagent.server import request_limits, user_limits
from personaagent.server.internal_client import INTERNAL
from personaagent.server.request_limits import RequestLimits
from personaagent.server.user_limits import count_request

MOST = 100


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body, and says how long it was."""
    length, more = 0, True
    while more:
        part = await receive()
        length, more = length + len(part.get("body", b"")), part.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


async def says_500(scope: Scope, receive: Receive, send: Send) -> None:
    """Makes of any error what a careless application makes of it."""
    try:
        await echo(scope, receive, send)
    except Exception:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"Oh."})


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(max_body_bytes=MOST, requests_per_minute=0)

    async def aget() -> Any:
        return SimpleNamespace(settings=made)

    monkeypatch.setattr(request_limits, "dependencies", SimpleNamespace(aget=aget))
    return made


async def post(app: ASGIApp, path: str, body: Any, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=RequestLimits(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(path, content=body, headers=headers)


async def parts(length: int) -> AsyncIterator[bytes]:
    for start in range(0, length, 7):
        yield b"x" * min(7, length - start)


@pytest.mark.parametrize("app", [echo, says_500])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("length", "status"), [(0, 200), (MOST, 200), (MOST + 1, 413), (9999, 413)]
)
async def test_a_body_may_be_so_long_and_no_longer(
    app: ASGIApp, chunked: bool, length: int, status: int
) -> None:
    answer = await post(app, "/threads", parts(length) if chunked else b"x" * length)
    assert answer.status_code == status
    if status == 413:
        assert answer.json() == {"detail": "The body is too long: send less at once."}
    else:
        assert answer.text == str(length)


@pytest.mark.parametrize("path", ["/me/import", "/me/restore"])
async def test_uploads_have_a_limit_of_their_own(path: str) -> None:
    assert (await post(echo, path, b"x" * 9999)).text == "9999"


async def test_what_our_routes_ask_themselves_is_not_counted(settings: SimpleNamespace) -> None:
    settings.requests_per_minute = 1

    async def within(scope: Scope, receive: Receive, send: Send) -> None:
        await RequestLimits(echo)({**scope, INTERNAL: True}, receive, send)

    transport = httpx.ASGITransport(app=within)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.post("/threads", content=b"x" * 9999)).text == "9999"


@pytest.mark.parametrize(
    "error", [LimitReached("Wait.", "requests", 7), DataError("The disk is full.")]
)
async def test_who_asks_too_often_waits_and_a_full_disk_keeps_nobody_out(
    error: Exception, settings: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def named(*_: Any) -> dict[str, str]:
        return {"identity": "anna"}

    async def refuse(*_: Any) -> None:
        raise error

    async def store() -> InMemoryStore:
        return InMemoryStore()

    settings.requests_per_minute = 1
    monkeypatch.setattr(request_limits, "authenticate", named)
    monkeypatch.setattr(request_limits, "server_store", store)
    monkeypatch.setattr(request_limits, "count_request", refuse)
    answer = await post(echo, "/threads", b"")
    if isinstance(error, LimitReached):
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.json() == {"detail": "Wait."}
    else:
        assert answer.status_code == 200


async def test_the_allowance_of_a_minute_fills_up_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(at=1000.0)
    monkeypatch.setattr(user_limits, "time", SimpleNamespace(time=lambda: clock.at))
    store = InMemoryStore()

    async def refused(count: int, user: str = "anna") -> list[int]:
        asked = (count_request(store, user, 60) for _ in range(count))
        done = await asyncio.gather(*asked, return_exceptions=True)
        return [each.retry_after for each in done if isinstance(each, LimitReached)]

    assert await refused(65) == [1] * 5
    assert await refused(1, "ben") == [], "each has an allowance of their own"
    clock.at += 10
    assert len(await refused(12)) == 2
    clock.at += 3600
    assert len(await refused(70)) == 10, "no more than a minute's is kept"
    clock.at -= 100
    assert len(await refused(1)) == 1, "a clock that goes back gives nothing"
