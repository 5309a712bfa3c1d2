"""Errors below ``/v1`` in OpenAI's shape, whoever made them: a route, a limit, or the server."""

import json
from collections.abc import Iterable, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.audience import kind_only
from personaagent.core.prometheus import count_failure
from personaagent.server.routes.openai_records import ErrorDetails, OpenAIError

PREFIX = "/v1/"
TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
CODES = {404: "not_found", 429: "rate_limit_exceeded"}
OF_THE_BODY = (b"content-type", b"content-length")
Headers = Iterable[tuple[bytes, bytes]]


class ErrorsOfOpenAI:
    """Turns ``{"detail": ...}`` into ``{"error": {"message": ...}}`` for the paths below ``/v1``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if not answer.started:
                count_failure(error)
                await answer.send_error(500, kind_only("failed", type(error).__name__))
            raise  # whoever runs the application logs it


class _Answer:
    """Sends on what the application says; holds back the body of an error, to send it otherwise."""

    def __init__(self, send: Send) -> None:
        self.started = False
        self._send = send
        self._failed: MutableMapping[str, Any] | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._failed = message
        elif self._failed is None:
            self.started = True
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                start = self._failed
                await self.send_error(start["status"], _sentence(self._body), start["headers"])

    async def send_error(self, status: int, sentence: str, headers: Headers = ()) -> None:
        """Send this error, with what headers it had but those of its former body."""
        self.started = True
        body = OpenAIError(error=details(status, sentence)).model_dump_json().encode()
        kept = [each for each in headers if each[0].lower() not in OF_THE_BODY]
        kept += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await self._send({"type": "http.response.start", "status": status, "headers": kept})
        await self._send({"type": "http.response.body", "body": body})


def details(status: int, sentence: str) -> ErrorDetails:
    """What OpenAI's clients are told of an error of this status."""
    return ErrorDetails(message=sentence, type=_type(status), code=CODES.get(status))


def _sentence(body: bytes) -> str:
    """The sentence of an error; of a body that cannot be read, the body."""
    text = body.decode(errors="replace")
    try:
        return str(json.loads(text)["detail"])
    except (ValueError, LookupError, TypeError):
        return text


def _type(status: int) -> str:
    if status >= 500:
        return "server_error"
    return TYPES.get(status, "invalid_request_error")
