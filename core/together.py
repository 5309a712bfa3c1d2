"""Work that is done once for all who ask for it at about the same time."""

import asyncio
from collections.abc import Awaitable, Callable


class Together:
    """Does ``work`` for everybody who waits for it; whoever asks while it runs gets the next run.

    So each caller waits for a run that began after their call, and many calls at once cost two runs
    at most.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._running = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Wait for the next run; it goes on if this is cancelled.

        Raises:
            Exception: what ``work`` raised in that run.
        """
        if self._next is None or self._next.done():  # cancelled before it began
            self._next = asyncio.create_task(self._run())
        await asyncio.shield(self._next)

    async def _run(self) -> None:
        async with self._running:
            self._next = None
            await self._work()
