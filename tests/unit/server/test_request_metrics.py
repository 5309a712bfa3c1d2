"""Requests are measured by their route as it is written, whatever stands in their path."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from personaagent.core.prometheus import REGISTRY
from personaagent.server.request_metrics import MeasureRequests, NoteRoute


class Copies:
    """A middleware that gives the routes a scope of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope}, receive, send)


def served() -> FastAPI:
    """An application with a router within a router, as ours has."""
    app, inner, outer = FastAPI(), APIRouter(prefix="/things"), APIRouter(prefix="/me")

    @inner.get("/{thing}")
    async def thing(thing: str) -> str:
        if thing == "none":
            raise HTTPException(404, "There is no such thing.")
        if thing == "broken":
            raise RuntimeError
        return thing

    @inner.get("/{thing}/stream")
    async def stream(thing: str) -> StreamingResponse:
        return StreamingResponse(iter([thing, thing]))

    outer.include_router(inner)
    app.include_router(outer)
    app.add_middleware(NoteRoute)
    app.add_middleware(Copies)
    app.add_middleware(MeasureRequests)
    return app


def counted(route: str, status: int, method: str = "GET") -> float:
    labels = {"method": method, "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("personaagent_requests_total", labels) or 0.0


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/me/things/secret-17", "/me/things/{thing}", 200),
        ("/me/things/none", "/me/things/{thing}", 404),
        ("/me/things/broken", "/me/things/{thing}", 500),
        ("/me/things/secret-17/stream", "/me/things/{thing}/stream", 200),
        ("/secret-17/of/nobody", "other", 404),
    ],
)
async def test_a_request_counts_under_its_route(path: str, route: str, status: int) -> None:
    before = counted(route, status)
    transport = httpx.ASGITransport(app=served(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        assert (await http.get(path)).status_code == status
    assert counted(route, status) == before + 1
    timed = REGISTRY.get_sample_value(
        "personaagent_request_seconds_count", {"method": "GET", "route": route}
    )
    assert timed
    assert "secret-17" not in str([*REGISTRY.collect()])


async def test_a_method_that_nobody_knows_makes_no_series_of_its_own() -> None:
    transport = httpx.ASGITransport(app=served())
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        await http.request("SECRET-17", "/me/things/x")
    assert "SECRET-17" not in str([*REGISTRY.collect()])
