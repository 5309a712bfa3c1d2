"""Who is served first where one model works for all: what a person waits for, before the background."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds in which work in the background leaves the engine; the others wait meanwhile."""

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
        self._waiting = 0
        self._nobody_waits = _set_event()
        self._under_way = 0
        self._none_under_way = _set_event()
        self._entrance = asyncio.Lock()
        self._in_background: set[asyncio.Task[object]] = set()
        self._interrupted: set[asyncio.Task[object]] = set()

    @asynccontextmanager
    async def first(self) -> AsyncIterator[None]:
        """For a request that somebody waits for: while it runs, none in the background does."""
        with self._waited_for():
            async with self._entered():
                yield

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """The same, and none at all runs beside it.

        Raises:
            TimeoutError: somebody else's request is under way for longer than ``PATIENCE``.
        """
        with self._waited_for():
            async with self._entrance:
                async with asyncio.timeout(PATIENCE):
                    await self._none_under_way.wait()
                yield

    async def last(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The result of ``ask``, which is called again each time that somebody else came first."""
        while True:
            await self._nobody_waits.wait()
            task = asyncio.create_task(self._asked(ask))
            self._in_background.add(task)
            try:
                return await task
            except asyncio.CancelledError:
                own = asyncio.current_task()
                if task not in self._interrupted or (own is not None and own.cancelling()):
                    raise
            finally:
                self._in_background.discard(task)
                self._interrupted.discard(task)

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._entered():
            return await ask()

    @contextmanager
    def _waited_for(self) -> Iterator[None]:
        self._waiting += 1
        self._nobody_waits.clear()
        for task in self._in_background - self._interrupted:
            self._interrupted.add(task)
            task.cancel()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._nobody_waits.set()

    @asynccontextmanager
    async def _entered(self) -> AsyncIterator[None]:
        async with self._entrance:
            self._under_way += 1
            self._none_under_way.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._none_under_way.set()


_lines: dict[asyncio.AbstractEventLoop, WaitingLine] = {}


def shared_line() -> WaitingLine:
    """The line of all who ask engines of this process from the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _lines:
        for ended in [each for each in _lines if each.is_closed()]:
            del _lines[ended]
        _lines[loop] = WaitingLine()
    return _lines[loop]


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
