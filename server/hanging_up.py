"""Work for a client that ends when the client hangs up, before the response has begun."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import HTTPException
from starlette.requests import Request

Result = TypeVar("Result")
GONE = 499
"""The status that proxies use for it; nobody reads it."""


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``work``, whose body of the request has been read.

    Raises:
        HTTPException: 499, the client hung up; the work was cancelled.
    """
    working, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HTTPException(GONE, "The client hung up.")
        return await working
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.wait({working, gone})  # what they used can be closed now


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
