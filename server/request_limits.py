"""Stands before all routes, LangGraph's too: no body that is too long, no user who asks too often."""

import logging
from collections.abc import MutableMapping
from typing import Any

from langgraph_sdk import Auth
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.errors import DataError, LimitReached, UsageError
from personaagent.core.users import check_user_id
from personaagent.server.acting_as import acting_user
from personaagent.server.auth import authenticate
from personaagent.server.graphs import dependencies
from personaagent.server.internal_client import INTERNAL
from personaagent.server.limits import TOO_LONG
from personaagent.server.store import server_store
from personaagent.server.user_limits import count_request, retry_after

OWN_LIMIT = ("/me/import", "/me/restore")
"""The routes that limit their bodies by themselves."""


class RequestLimits:
    """Refuses bodies over ``max_body_bytes`` (413), and requests over ``requests_per_minute`` (429).

    What our routes ask the server's own API themselves was counted with the request that they answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get(INTERNAL) or acting_user():
            await self._app(scope, receive, send)
            return
        settings = (await dependencies.aget()).settings
        try:
            if settings.requests_per_minute:
                await _count(scope, settings.requests_per_minute)
        except LimitReached as reached:
            refusal = JSONResponse({"detail": str(reached)}, 429, retry_after(reached))
            await refusal(scope, receive, send)
            return
        if scope["path"] in OWN_LIMIT:
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, scope, settings.max_body_bytes)
        if body.is_declared_too_long():
            await body.refuse()
            return
        try:
            await self._app(scope, body.receive, body.send)
        except Exception:  # whatever became of the 413 on its way
            if not body.is_too_long:
                raise
            await body.refuse()


async def _count(scope: Scope, per_minute: int) -> None:
    """Count the request, if it names a user: what names none is refused by authentication."""
    try:
        user = await authenticate(dict(scope["headers"]), scope)
        user_id = check_user_id(user["identity"])
    except (Auth.exceptions.HTTPException, HTTPException, UsageError):
        return
    try:
        await count_request(await server_store(), user_id, per_minute)
    except DataError as error:  # such as a full disk, which must not keep anybody from reading
        logging.getLogger(__name__).warning("A request is not counted: %s", error)


class _Body:
    """The body of a request, of which no more than ``most`` bytes are let through."""

    def __init__(self, receive: Receive, send: Send, scope: Scope, most: int) -> None:
        self._receive, self._send, self._scope, self._most = receive, send, scope, most
        self._length = 0
        self._answered = self._refused = False

    def is_declared_too_long(self) -> bool:
        """Whether the header says so."""
        length = Headers(scope=self._scope).get("content-length", "")
        return length.isdecimal() and int(length) > self._most

    @property
    def is_too_long(self) -> bool:
        """Whether more came than may."""
        return self._length > self._most

    async def receive(self) -> Message:
        """The next part; 413 if it is one too many, whatever its header said."""
        message = await self._receive()
        self._length += len(message.get("body", b""))
        if self.is_too_long:
            raise HTTPException(413, TOO_LONG)
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send on; an answer to a body that was too long is 413, whatever became of the error."""
        if self.is_too_long and not self._answered:
            await self.refuse()
        elif not self._refused:
            self._answered = True
            await self._send(message)

    async def refuse(self) -> None:
        """Answer with 413, unless an answer has begun."""
        if not self._answered:
            self._answered = self._refused = True
            await JSONResponse({"detail": TOO_LONG}, 413)(self._scope, self._receive, self._send)
