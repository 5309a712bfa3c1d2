"""What LangGraph's own routes end with when they fail: on some servers, with the text of the exception."""

import logging

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.audience import kind_only

FOREIGN = ("/threads", "/runs", "/assistants", "/store")
"""How the paths of LangGraph's routes begin."""
LOGGED_BYTES = 10_000

log = logging.getLogger(__name__)


class ForeignFailures:
    """Tells clients that a route of LangGraph's failed, and the log what it said."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(FOREIGN):
            send = _Answer(scope, receive, send).send
        await self._app(scope, receive, send)


class _Answer:
    """An answer, of which nothing is sent but the status if it is 500."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._failed = False
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 500:
            self._failed = True
        elif not self._failed:
            await self._send(message)
        else:
            self._body += message.get("body", b"")[: LOGGED_BYTES - len(self._body)]
            if not message.get("more_body"):
                await self._tell()

    async def _tell(self) -> None:
        path = self._scope["path"]
        log.warning("%s failed: %s", path, self._body.decode(errors="replace"))
        answer = JSONResponse({"detail": kind_only("failed", "500")}, 500)
        await answer(self._scope, self._receive, self._send)
