"""What an error is over HTTP: a status, and a body with one sentence (``{"detail": ...}``)."""

import logging
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from httpx import HTTPError, HTTPStatusError
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core import errors
from personaagent.core.errors import (
    ConfigurationError,
    Conflict,
    DataError,
    NothingLabelled,
    PersonaAgentError,
    ServiceError,
    Unknown,
    UnknownEpisode,
    Unreadable,
    UsageError,
)
from personaagent.core.prometheus import count_failure
from personaagent.memory.exchange.import_file import Refused

STATUS: dict[type[PersonaAgentError], int] = {
    PersonaAgentError: 500,
    UsageError: 422,
    Unknown: 404,
    ConfigurationError: 500,
    ServiceError: 503,
    DataError: 503,
    UnknownEpisode: 404,
    NothingLabelled: 409,
    Unreadable: 422,
    Conflict: 409,
}
"""Of each class the status, unless a class below it has its own."""


class Problem(BaseModel):
    """What went wrong, in one sentence, with what to do."""

    detail: str


class Refusal(Problem):
    """Why nothing was imported; ``problems`` are the first 20, each with its place."""

    problems: list[str] = []


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route can end with, for OpenAPI."""
    return {status: {"model": Problem} for status in statuses}


def status_of(error: PersonaAgentError) -> int:
    """The status of the nearest class of the error that has one."""
    return next(STATUS[each] for each in type(error).__mro__ if each in STATUS)


def sentence(error: PersonaAgentError) -> str:
    """What the caller is told. Of what is the operator's to mend, the kind: the error itself may name
    addresses and folders, and stands in the log."""
    status = status_of(error)
    if status < 500:
        return str(error)
    what = "is not set up as it should be" if status == 500 else "cannot do that now"
    return _kind_only(what, type(error).__name__)


def kept_sentence(kept: str) -> str:
    """The same for an error as a checkpoint keeps it: ``Kind('what it says')``."""
    name, _, said = kept.partition("(")
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, PersonaAgentError):
        return sentence(kind(said[1:-2]))
    return _kind_only("cannot do that now", name)


def _kind_only(what: str, kind: str) -> str:
    return f"The server {what} ({kind}): try again later; its log says more."


def install(app: FastAPI) -> None:
    """Let the routes of ``app`` end with a sentence, whatever is raised in them."""
    app.add_exception_handler(PersonaAgentError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPError, _of_the_server)
    app.add_exception_handler(413, _too_long)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(TooLongInASentence)
    # as FastAPI does by itself; aegra puts its own there, of another shape, where it sees none
    app.add_exception_handler(HTTPException, http_exception_handler)  # type: ignore[arg-type]


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PersonaAgentError)
    status = status_of(error)
    if status >= 500:
        count_failure(error)
        logging.getLogger(__name__).warning("A request failed: %s", error)
    more = {"problems": error.problems} if isinstance(error, Refused) else {}
    return JSONResponse({"detail": sentence(error), **more}, status)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": f"{_wrong(error.errors())}."}, 422)


def _wrong(errors: Iterable[Any]) -> str:
    """``body.rules.0: Field required; query.limit: ...``"""
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors)


async def _too_long(_: Request, __: Exception) -> JSONResponse:
    return _too_long_sentence()


def _too_long_sentence() -> JSONResponse:
    return JSONResponse({"detail": "The body is too long: send less at once."}, 413)


class TooLongInASentence:
    """Starlette refuses a body whose header says that it is too long in plain text, past all handlers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = False

        async def send_sentence(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start" and message["status"] == 413:
                kind = Headers(raw=message["headers"]).get("content-type", "")
                told = kind.startswith("text/plain")
                if told:
                    await _too_long_sentence()(scope, receive, send)
            if not told:
                await send(message)

        await self._app(scope, receive, send_sentence)


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    """What nobody thought of; whoever runs the application logs it."""
    count_failure(error)
    return JSONResponse({"detail": _kind_only("failed", type(error).__name__)}, 500)


async def _of_the_server(_: Request, error: Exception) -> JSONResponse:
    """What the server's own API says to a route that asks it: the caller's fault, or its own."""
    if isinstance(error, HTTPStatusError) and error.response.status_code < 500:
        return JSONResponse({"detail": _detail(error)}, error.response.status_code)
    count_failure(error)
    logging.getLogger(__name__).warning("The server's own API failed: %s", error)
    return JSONResponse({"detail": "The server is too busy now: try again later."}, 503)


def _detail(error: HTTPStatusError) -> str:
    try:
        return str(error.response.json()["detail"])
    except (ValueError, LookupError, TypeError):
        return str(error)
