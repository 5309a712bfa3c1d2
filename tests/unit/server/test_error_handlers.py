"""What the server's own API answers a route is the caller's fault only where they can mend it."""

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request

from personaagent.server.error_handlers import add_error_handlers
from personaagent.server.internal_client import internal_client

app = FastAPI()
add_error_handlers(app)


@app.get("/own/{status}")
async def own(status: int) -> None:
    """The server's own API, which refuses."""
    raise HTTPException(status, "What the server says of it.")


@app.get("/asks/{status}")
async def asks(status: int, request: Request) -> None:
    """A route of ours, which asks it."""
    async with internal_client(request) as api:
        await api.http.get(f"/own/{status}")


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (400, 503),
        (404, 503),
        (405, 503),
        (500, 503),
        (502, 503),
        (401, 401),
        (409, 409),
        (422, 422),
    ],
)
async def test_what_is_not_there_for_a_route_is_not_the_callers_fault(
    there: int, here: int
) -> None:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get(f"/asks/{there}")
    assert answer.status_code == here
    assert ("What the server says" in answer.text) == (here < 500)
