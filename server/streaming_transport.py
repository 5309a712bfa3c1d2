"""httpx's way into an application of this process, which hands on a response while it is written.

``httpx.ASGITransport`` waits for the end of a response: a stream would come all at once.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

_running: set[asyncio.Task[None]] = set()
"""Calls of the application under way; the loop itself keeps only weak references."""


class StreamingTransport(httpx.AsyncBaseTransport):
    """Calls ``app`` from this machine; an error that the application raises is a response of 500.

    Who closes a response before its end hangs up: the application learns of it, and ends by itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, as soon as its headers are known."""
        call = _Call(await request.aread())
        task = asyncio.create_task(self._run(_scope(request), call))
        _running.add(task)
        task.add_done_callback(_running.discard)
        try:
            start = await call.sent.get()
        except BaseException:
            call.hang_up()
            raise
        if start is None:
            return httpx.Response(500)
        return httpx.Response(start["status"], headers=start.get("headers", []), stream=call)

    async def _run(self, scope: dict[str, Any], call: "_Call") -> None:
        try:
            await self._app(scope, call.receive, call.send)
        except Exception:  # noqa: S110  # whoever runs the application has logged it
            pass
        finally:
            call.end()


class _Call(httpx.AsyncByteStream):
    """One request: what the application receives, and what it sends. None ends the response."""

    def __init__(self, body: bytes) -> None:
        self.sent: asyncio.Queue[Message | None] = asyncio.Queue()
        self._to_receive: list[Message] = [{"type": "http.request", "body": body}]
        self._hung_up = asyncio.Event()

    async def receive(self) -> Message:
        if self._to_receive:
            return self._to_receive.pop()
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.put_nowait(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.end()

    def end(self) -> None:
        self.sent.put_nowait(None)

    def hang_up(self) -> None:
        self._hung_up.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self.sent.get()) is not None:
            if body := message.get("body"):
                yield body

    async def aclose(self) -> None:
        self.hang_up()


def _scope(request: httpx.Request) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }
