"""What clients ask of LangGraph's own routes, on whatever server runs them, checked before these see it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.audience import told
from personaagent.core.errors import UsageError
from personaagent.server.auth import tokens
from personaagent.server.state_writes import server_made
from personaagent.server.store_requests import check_store_request

STORE = "/store/"
STATES = ("/threads", "/runs")
QUESTIONS = ("/search", "/count", "/history")
"""How the paths of routes end that write nothing, though their bodies may name fields of the state."""
CALLS_OUT = ("feedback_keys", "langsmith_tracer")
"""What has LangGraph's server ask LangSmith for addresses, or send traces where a client says."""

Body = dict[str, Any] | list[Any]


class RequestChecks:
    """Refuses, with 422 and a sentence, what LangGraph's routes would trip over or should not do."""

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

    async def _checked(self, check: "Check", scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        try:
            body = await check(scope, body)
        except UsageError as error:
            await JSONResponse({"detail": told(error)}, 422)(scope, receive, send)
            return
        await self._app(_with_length(scope, body), _replay(body, receive), send)


Check = Callable[[Scope, bytes], Any]


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
    if isinstance(told := _parsed(body), dict):
        check_store_request(told)
    return body


async def _check_state(_: Scope, body: bytes) -> bytes:
    told = _parsed(body)
    refused = server_made(told)
    if refused and (await tokens.aget()).required:
        raise UsageError(
            f"Clients do not write {', '.join(refused)}: the server makes that by itself. Send "
            "messages."
        )
    return json.dumps(told).encode() if _drop_calls_out(told) else body


def _drop_calls_out(told: Body | None) -> bool:
    """Take what makes the server call somebody out of the runs in the body; whether there was any."""
    runs = told if isinstance(told, list) else [told]
    asked = [(run, key) for run in runs if isinstance(run, dict) for key in CALLS_OUT if key in run]
    for run, key in asked:
        del run[key]
    return bool(asked)


def _parsed(body: bytes) -> Body | None:
    if not body.strip():
        return None
    try:
        told: Body = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("The body is no JSON that can be read.") from error
    return told


def _with_length(scope: Scope, body: bytes) -> Scope:
    """The same request with a body of another length."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    kept = len(headers) < len(scope["headers"])
    length = [(b"content-length", b"%d" % len(body))] if kept else []
    return {**scope, "headers": [*headers, *length]}


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body again, then whatever else the client does: it may disconnect."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _checked_messages(receive: Receive) -> Receive:
    """The messages of a web socket; one that may not be is as if the client had hung up."""

    async def checked() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        try:
            await _check_state(
                {}, (message.get("text") or "").encode() or message.get("bytes") or b""
            )
        except UsageError:
            return {"type": "websocket.disconnect", "code": 1008}
        return message

    return checked
