"""An application of this process, asked as a stream."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from personaagent.server.streaming_transport import StreamingTransport

app = FastAPI()
going_on, hung_up = asyncio.Event(), asyncio.Event()


@app.get("/waits")
async def waits() -> StreamingResponse:
    """Says one thing, and the next when ``going_on``."""

    async def pieces() -> AsyncIterator[str]:
        yield "first"
        await going_on.wait()
        yield "second"

    return StreamingResponse(pieces())


@app.get("/never-ends")
async def never_ends() -> StreamingResponse:
    async def pieces() -> AsyncIterator[str]:
        try:
            yield "first"
            await asyncio.Event().wait()
        finally:
            hung_up.set()

    return StreamingResponse(pieces())


@app.post("/echo")
async def echo(request: Request) -> dict[str, str]:
    body = (await request.body()).decode()
    return {"body": body, "query": request.url.query, "who": request.headers["authorization"]}


@app.get("/fails")
async def fails() -> None:
    raise RuntimeError("within the application")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    going_on.clear()
    hung_up.clear()
    async with httpx.AsyncClient(
        transport=StreamingTransport(app), base_url="http://localhost"
    ) as http:
        yield http


async def test_what_is_said_comes_while_the_rest_is_not_yet_said(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10), http.stream("GET", "/waits") as answer:
        pieces = answer.aiter_text()
        assert await anext(pieces) == "first"
        going_on.set()
        assert [piece async for piece in pieces] == ["second"]


async def test_who_leaves_hangs_up(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        async with http.stream("GET", "/never-ends") as answer:
            assert await anext(answer.aiter_text()) == "first"
        await hung_up.wait()


async def test_a_request_arrives_whole(http: httpx.AsyncClient) -> None:
    told = await http.post(
        "/echo", params={"a": "b"}, content="a body", headers={"Authorization": "Bearer x"}
    )
    assert told.json() == {"body": "a body", "query": "a=b", "who": "Bearer x"}


async def test_a_failure_is_a_response(http: httpx.AsyncClient) -> None:
    assert (await http.get("/fails")).status_code == 500
    assert (await http.get("/nothing")).status_code == 404
