"""What clients ask of LangGraph's own routes, on whatever server runs them, checked before these see it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.audience import audience_message
from personaagent.core.errors import UsageError
from personaagent.server.auth import tokens
from personaagent.server.state_writes import without_server_made
from personaagent.server.store_requests import check_store_request

STORE = "/store/"
STATES = ("/threads", "/runs")
QUESTIONS = ("/search", "/count", "/history")
"""How the paths of routes end that write nothing, though their bodies may name fields of the state."""
RUNS_IN = ("params", "payload")
"""Under which names a body holds a run: a command, and a changed cron."""
CALLS_OUT = ("feedback_keys", "langsmith_tracer")
"""What has LangGraph's server ask LangSmith for addresses, or send traces where a client says."""

UNREADABLE = "The body is no JSON that can be read."

Body = dict[str, Any] | list[Any]
Check = Callable[[Scope, bytes], Awaitable[bytes]]
"""Takes a request and its body; returns the body to be sent on."""


class RequestChecks:
    """Refuses, with 422 and a sentence, what LangGraph's routes would trip over; leaves out of a body
    what they should not do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        check = _check_of(scope)
        if check is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, _checked_messages(receive), send)
        else:
            await self._checked(check, scope, receive, send)

    async def _checked(self, check: Check, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await check(scope, await Request(scope, receive).body())
        except ClientDisconnect:
            return
        except UsageError as error:
            await JSONResponse({"detail": audience_message(error)}, 422)(scope, receive, send)
            return
        await self._app(_with_length(scope, body), _replay(body, receive), send)


def _check_of(scope: Scope) -> Check | None:
    path = scope.get("path", "")
    if scope["type"] == "websocket":
        return _check_state if path.startswith(STATES) else None
    if scope["type"] != "http":
        return None
    if path.startswith(STORE):
        return _check_store
    if scope["method"] in ("POST", "PUT", "PATCH") and path.startswith(STATES):
        return None if path.rstrip("/").endswith(QUESTIONS) else _check_state
    return None


async def _check_store(scope: Scope, body: bytes) -> bytes:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    asked: dict[str, Any] = {key: values[0] for key, values in query.items() if key == "key"}
    if labels := query.get("namespace"):
        asked["namespace"] = [label for each in labels for label in each.split(".")]
    check_store_request(asked)
    if isinstance(asked_body := _parsed(body), dict):
        check_store_request(asked_body)
    return body


async def _check_state(_: Scope, body: bytes) -> bytes:
    """The body as it may be; the developer, who needs no token, writes what they like into a state."""
    asked = _parsed(body)
    allowed = _allowed(asked) if (await tokens.aget()).required else asked
    unchanged = not _drop_calls_out(allowed) and allowed == asked
    return body if unchanged else json.dumps(allowed).encode()


def _allowed(asked: Any) -> Any:
    try:
        return without_server_made(asked)
    except RecursionError as error:
        raise UsageError(UNREADABLE) from error


def _drop_calls_out(asked: Any) -> bool:
    """Take what makes the server call somebody out of the runs in the body; whether there was any."""
    calls = [(run, key) for run in _runs_in(asked) for key in CALLS_OUT if key in run]
    for run, key in calls:
        del run[key]
    return bool(calls)


def _runs_in(asked: Any) -> list[dict[str, Any]]:
    bodies = asked if isinstance(asked, list) else [asked]
    outer = [body for body in bodies if isinstance(body, dict)]
    inner = [body.get(name) for body in outer for name in RUNS_IN]
    return outer + [run for run in inner if isinstance(run, dict)]


def _parsed(body: bytes) -> Body | None:
    if not body.strip():
        return None
    try:
        parsed: Body = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(UNREADABLE) from error
    return parsed


def _with_length(scope: Scope, body: bytes) -> Scope:
    """The same request with a body of another length."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    kept = len(headers) < len(scope["headers"])
    length = [(b"content-length", b"%d" % len(body))] if kept else []
    return {**scope, "headers": [*headers, *length]}


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body again, then whatever else the client does: it may disconnect."""
    replayed = False

    async def again() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _checked_messages(receive: Receive) -> Receive:
    """The messages of a web socket; one that cannot be read is as if the client had hung up."""

    async def checked() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        try:
            body = (message.get("text") or "").encode() or message.get("bytes") or b""
            return {"type": message["type"], "text": (await _check_state({}, body)).decode()}
        except (UsageError, UnicodeDecodeError):
            return {"type": "websocket.disconnect", "code": 1008}

    return checked
