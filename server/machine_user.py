"""Whom a server without tokens means where a client of another API cannot say: the machine's user."""

import asyncio
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from personaagent.core.settings import Settings
from personaagent.memory.users_in_folder import users_in
from personaagent.server.auth import tokens
from personaagent.server.dev_auth import USER_HEADER
from personaagent.server.graphs import dependencies

PATHS = ("/v1", "/mcp")
"""What clients ask that know nothing of ``X-User-Id``."""
ENOUGH_USERS = 2


class MachineUser:
    """Names the machine's user in requests to ``PATHS``, where no token is needed and none is named.

    Whether the request comes from this machine is checked afterwards, as of any other.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_meant(scope["path"]):
            await _name_user(MutableHeaders(scope=scope))
        await self._app(scope, receive, send)


def _is_meant(path: str) -> bool:
    return any(path == start or path.startswith(f"{start}/") for start in PATHS)


async def _name_user(headers: MutableHeaders) -> None:
    if USER_HEADER in headers or (await tokens.aget()).required:
        return
    user = await machine_user((await dependencies.aget()).settings)
    with suppress(UnicodeEncodeError):  # a name that no header can hold
        if user:
            headers[USER_HEADER] = user


async def machine_user(settings: Settings) -> str | None:
    """The user in the settings, else the only one in the data folder."""
    if settings.user is not None:
        return settings.user
    users = await asyncio.to_thread(users_in, settings.home, ENOUGH_USERS)
    return users[0] if len(users) == 1 else None
