"""What a route ends with when it raises: JSON with a sentence (``{"detail": ...}``)."""

import logging
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from httpx import HTTPError, HTTPStatusError, Response
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.audience import audience_text, for_users_of_a_server, kind_only
from personaagent.core.errors import LimitReached, PersonaAgentError
from personaagent.core.prometheus import count_failure
from personaagent.memory.exchange.check_import import Refused
from personaagent.server.errors import sentence, status_of
from personaagent.server.limits import TOO_LONG
from personaagent.server.user_limits import retry_after

OF_THE_CALLER = (401, 403, 409, 413, 422, 429)
"""The statuses of the server's own API that a route passes on."""
TOO_BUSY = "The server is too busy now: try again later."


def add_error_handlers(app: FastAPI) -> None:
    """Answer whatever the routes of ``app`` raise with a sentence."""
    app.add_exception_handler(PersonaAgentError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPError, _of_the_server)
    app.add_exception_handler(413, _too_long)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(TooLongAsJson)
    app.add_middleware(ForUsers)
    # as FastAPI does by itself; aegra puts its own there, of another shape, where it sees none
    app.add_exception_handler(HTTPException, http_exception_handler)  # type: ignore[arg-type]


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PersonaAgentError)
    status = status_of(error)
    if status >= 500:
        count_failure(error)
        logging.getLogger(__name__).warning("A request failed: %s", error)
    more = {"problems": error.problems} if isinstance(error, Refused) else {}
    headers = retry_after(error) if isinstance(error, LimitReached) else None
    return JSONResponse({"detail": sentence(error), **more}, status, headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """``body.rules.0: Field required; query.limit: ...``"""
    assert isinstance(error, RequestValidationError)
    problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return JSONResponse({"detail": f"{'; '.join(problems)}."}, 422)


async def _too_long(*_: Any) -> JSONResponse:
    return JSONResponse({"detail": TOO_LONG}, 413)


class TooLongAsJson:
    """Turns Starlette's 413 in plain text, which passes all handlers, into ours.

    Starlette sends it where the header already says that the body is too long.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def send_ours(message: Message) -> None:
            nonlocal replaced
            if message.get("status") == 413 and _is_plain_text(message):
                replaced = True
                await (await _too_long())(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, send_ours)


class ForUsers:
    """Lets all that happens in a request say what a server's users may know (``core/audience.py``)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with for_users_of_a_server():
            await self._app(scope, receive, send)


def _is_plain_text(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/plain")


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    """Any other error; whoever runs the application logs it."""
    count_failure(error)
    return JSONResponse({"detail": kind_only("failed", type(error).__name__)}, 500)


async def _of_the_server(_: Request, error: Exception) -> JSONResponse:
    """An error of the server's own API, which a route asked.

    Who may ask, what, how often, and what runs already is the caller's. All else is the server's own
    fault: the caller named no such thread.
    """
    if isinstance(error, HTTPStatusError) and error.response.status_code in OF_THE_CALLER:
        wait = error.response.headers.get("retry-after")
        headers = {"Retry-After": wait} if wait else None
        return JSONResponse(
            {"detail": detail_of(error.response)}, error.response.status_code, headers
        )
    count_failure(error)
    logging.getLogger(__name__).warning("The server's own API failed: %s", error)
    return JSONResponse({"detail": TOO_BUSY}, 503)


def detail_of(response: Response) -> str:
    """What the API says; a server may say it under another name, or not at all."""
    try:
        body = response.json()
        return audience_text(str(body.get("detail") or body["message"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return TOO_BUSY
