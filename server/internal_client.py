"""A client of the server's own API for our routes: in this process, and as the calling user."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from langgraph_sdk.client import LangGraphClient
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from personaagent.server.dev_auth import USER_HEADER
from personaagent.server.streaming_transport import StreamingTransport

CREDENTIALS = ("authorization", USER_HEADER)
"""The headers that say who calls."""
INTERNAL = "personaagent.internal"
"""Marks a call of ours in its ASGI scope, where no client can: it counts with the request it is for."""


@asynccontextmanager
async def internal_client(request: Request) -> AsyncIterator[LangGraphClient]:
    """A client of the server that ``request`` came to, with the credentials of the request.

    Calls go through the server's authentication and authorisation, so that threads, runs and crons
    belong to the caller, and those of others do not exist. (``get_client()`` of the SDK bypasses
    both.) No connection is made: the client calls the application.
    """
    async with client_within(whole_responses(request.app), _credentials(request)) as client:
        yield client


@asynccontextmanager
async def streaming_client(request: Request) -> AsyncIterator[LangGraphClient]:
    """The same for streams: what a run says comes while it says it."""
    transport = StreamingTransport(_marked(request.app))
    async with client_within(transport, _credentials(request)) as client:
        yield client


@asynccontextmanager
async def client_within(
    transport: httpx.AsyncBaseTransport, headers: Mapping[str, str] | None = None
) -> AsyncIterator[LangGraphClient]:
    """A client that calls an application of this process; no time limit of httpx holds there."""
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=headers
    ) as http:
        yield LangGraphClient(http)


def whole_responses(app: ASGIApp) -> httpx.ASGITransport:
    """The way into the application for calls of ours whose responses come at once."""
    return httpx.ASGITransport(app=_marked(app), raise_app_exceptions=False)


def _credentials(request: Request) -> dict[str, str]:
    return {name: request.headers[name] for name in CREDENTIALS if name in request.headers}


def _marked(app: ASGIApp) -> ASGIApp:
    """The application for calls that are marked as ours."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, INTERNAL: True}, receive, send)

    return call
