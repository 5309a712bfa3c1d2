"""Who is served first where one model works for all: what a person waits for, before the background."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_in_background: ContextVar[bool] = ContextVar("in_background", default=False)


async def in_background(work: Callable[[], Awaitable[T]]) -> T:
    """Do ``work``; nobody waits for the model calls in it."""
    token = _in_background.set(True)
    try:
        return await work()
    finally:
        _in_background.reset(token)


def is_in_background() -> bool:
    """Whether this runs in ``in_background``."""
    return _in_background.get()


class WaitingLine:
    """The requests to one model. Those in the background run while there are no others.

    One that is under way when somebody else asks is cancelled, and sent again when nobody is waiting
    any more: the engine still has in its cache what it has read of it.
    """

    def __init__(self) -> None:
        self._waited_for = 0
        self._nobody_waits = asyncio.Event()
        self._nobody_waits.set()
        self._in_background: set[asyncio.Task[object]] = set()

    @asynccontextmanager
    async def first(self) -> AsyncIterator[None]:
        """For a request that somebody waits for: while it runs, none in the background does."""
        self._waited_for += 1
        self._nobody_waits.clear()
        for task in self._in_background:
            task.cancel()
        try:
            yield
        finally:
            self._waited_for -= 1
            if not self._waited_for:
                self._nobody_waits.set()

    async def last(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The result of ``ask``, which is called again each time that somebody else came first."""
        while True:
            await self._nobody_waits.wait()
            task = asyncio.ensure_future(_awaited(ask))
            self._in_background.add(task)
            try:
                return await task
            except asyncio.CancelledError:
                own = asyncio.current_task()
                if not self._waited_for or (own is not None and own.cancelling()):
                    raise
            finally:
                self._in_background.discard(task)


async def _awaited(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
