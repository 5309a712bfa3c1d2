"""The server's own API, for our routes: in this process, and as the user who calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from langgraph_sdk.client import LangGraphClient
from starlette.requests import Request

from personaagent.server.dev_auth import USER_HEADER

CREDENTIALS = ("authorization", USER_HEADER)
"""What says who calls."""
SECONDS = 60.0


@asynccontextmanager
async def internal_client(request: Request) -> AsyncIterator[LangGraphClient]:
    """The API of the server that ``request`` came to, asked with the credentials it came with.

    What is asked goes through the server's own authentication and authorisation, so that threads,
    runs and crons belong to the caller, and those of others are not there. (``get_client()`` of the
    SDK would go past both.) No connection is made: the application is called.
    """
    said = {name: request.headers[name] for name in CREDENTIALS if name in request.headers}
    transport = httpx.ASGITransport(app=request.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=said, timeout=SECONDS
    ) as http:
        yield LangGraphClient(http)
