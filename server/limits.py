"""How much a request may be: bodies and pages."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any

from fastapi import HTTPException, Query
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

BODY_BYTES = 1_000_000
LONGEST_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="How many at most.")]


class SmallBody(APIRoute):
    """A route that refuses a body of over ``BODY_BYTES`` while it comes (413)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_small(request: Request) -> Response:
            size = 0

            async def receive() -> Message:
                nonlocal size
                message = await request.receive()
                size = counted(size, message.get("body", b""), BODY_BYTES)
                return message

            return await handle(Request(request.scope, receive))

        return handle_small


async def body_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes, never all of it at once.

    Raises:
        HTTPException: 413, it is longer than ``limit`` bytes.
    """
    size = 0
    async for chunk in request.stream():
        size = counted(size, chunk, limit)
        yield chunk


def counted(size: int, chunk: bytes, limit: int) -> int:
    """``size`` with the chunk's.

    Raises:
        HTTPException: 413, that is over ``limit``.
    """
    size += len(chunk)
    if size > limit:
        raise HTTPException(413, f"The body has more than {limit:,} bytes: send less at once.")
    return size
