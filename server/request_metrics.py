"""Counts the requests of all routes, LangGraph's too, and how long until the answer begins."""

from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.prometheus import REQUEST_SECONDS, REQUESTS
from personaagent.server.internal_client import INTERNAL

OTHER = "other"
"""The route of a request that no route answers: its path may hold anything."""
NOTED = "personaagent.route"
"""Where ``NoteRoute`` notes the route, in a list that copies of the scope share."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class MeasureRequests:
    """Measures every request by its route, as the route is written: no id is ever in a label.

    A stream counts as answered when its first part is sent. What our routes ask the server's own API
    themselves is part of the request that they answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get(INTERNAL):
            await self._app(scope, receive, send)
            return
        started, status, seconds = perf_counter(), 500, 0.0
        noted: list[str] = []
        scope[NOTED] = noted

        async def measured_send(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                seconds = seconds or perf_counter() - started
            await send(message)

        try:
            await self._app(scope, receive, measured_send)
        finally:
            method = scope["method"] if scope["method"] in METHODS else OTHER
            route = noted[0] if noted else OTHER
            REQUESTS.labels(method, route, str(status)).inc()
            REQUEST_SECONDS.labels(method, route).observe(seconds or perf_counter() - started)


class NoteRoute:
    """Notes which route answered, for ``MeasureRequests``: the innermost of all, while that is outermost.

    What lies between them may give a copy of the scope to the routes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            scope.get(NOTED, []).append(route_of(scope))


def route_of(scope: Scope) -> str:
    """The route that answered, as it is written: ``/threads/{thread_id}``."""
    route: Any = scope.get("route")
    if isinstance(route, str):
        return route  # as LangGraph's server keeps it
    included: Any = scope.get("fastapi", {}).get("effective_route_context")  # with its prefixes
    return str(next(filter(None, map(_path, (included, route))), OTHER))


def _path(route: Any) -> str | None:
    return getattr(route, "path_format", None) or getattr(route, "path", None)
