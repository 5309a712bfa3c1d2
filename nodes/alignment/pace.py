"""The pace at which simulations begin: a few at a time, each until it asks its model.

If all began at once, each step of one would wait for that step of all the others: the last would ask
hardly later than the first, and while they wait for their answers the processor would be idle.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar


class _Beginning:
    """One simulation that has not asked its model yet."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._over = False

    def end(self) -> None:
        """Let another begin."""
        if not self._over:
            self._over = True
            self._slots.release()


_beginning: ContextVar[_Beginning | None] = ContextVar("beginning", default=None)


class Pace:
    """Lets ``at_once`` simulations begin at a time."""

    def __init__(self, at_once: int) -> None:
        self._slots = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        """Wait until another may begin; what runs in the block is the simulation."""
        await self._slots.acquire()
        beginning = _Beginning(self._slots)
        token = _beginning.set(beginning)
        try:
            yield
        finally:
            _beginning.reset(token)
            beginning.end()


def begun() -> None:
    """Note that the simulation that runs here is about to ask its model."""
    if (beginning := _beginning.get()) is not None:
        beginning.end()
