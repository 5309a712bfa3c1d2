"""Work that ends when its client hangs up."""

import asyncio
from typing import Any

import pytest
from fastapi import HTTPException
from starlette.requests import Request

from personaagent.server.hanging_up import unless_gone


def request_of(gone: asyncio.Event) -> Request:
    """A request whose client hangs up then."""

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http"}, receive)


async def test_who_stays_gets_the_result() -> None:
    async def work() -> int:
        return 7

    assert await unless_gone(request_of(asyncio.Event()), work()) == 7


async def test_a_failure_is_raised() -> None:
    async def work() -> None:
        raise ValueError("of the work")

    with pytest.raises(ValueError, match="of the work"):
        await unless_gone(request_of(asyncio.Event()), work())


async def test_who_hangs_up_ends_the_work() -> None:
    gone, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            gone.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(HTTPException):
        async with asyncio.timeout(10):
            await unless_gone(request_of(gone), work())
    assert ended.is_set()
