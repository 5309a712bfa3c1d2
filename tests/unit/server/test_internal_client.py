"""The server's own API, as our routes ask it: within the process, with the caller's own credentials."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from langgraph_sdk.errors import InternalServerError

from personaagent.server.internal_client import internal_client

app = FastAPI()


@app.get("/said")
async def said(request: Request) -> dict[str, str]:
    """Who asks, and as whom, in the eyes of the server."""
    assert request.client is not None
    return {**request.headers, "peer": request.client.host}


@app.get("/fails")
async def fails() -> None:
    """A failure of the server's."""
    raise RuntimeError("within the server")


@app.get("/asks")
async def asks(path: str, request: Request) -> Any:
    """A route of ours that asks the server's own."""
    async with internal_client(request) as api:
        return await api.http.get(path)


async def get(path: str, **headers: str) -> Any:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://there") as http:
        found = await http.get("/asks", params={"path": path}, headers=headers)
        return found.json()


async def test_it_is_asked_as_the_caller_and_with_nothing_else_of_theirs() -> None:
    given = {"authorization": "Bearer theirs", "x-user-id": "ana"}
    told = await get("/said", cookie="session=1", **{"x-api-key": "k"}, **given)
    assert {name: told[name] for name in given} == given
    assert not {"cookie", "x-api-key"} & told.keys()


async def test_who_shows_nothing_is_nobody_there_either() -> None:
    told = await get("/said")
    assert not {"authorization", "x-user-id", "x-api-key"} & told.keys()
    assert (told["host"], told["peer"]) == ("localhost", "127.0.0.1")


async def test_what_fails_there_is_an_error_of_the_sdk() -> None:
    with pytest.raises(InternalServerError):
        await get("/fails")
