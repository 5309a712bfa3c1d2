"""Work beside a conversation, at most one piece of a kind a user at a time."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """The pieces of work of one kind, by user; ``what`` they are, for the log."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._tasks: dict[str, asyncio.Task[T]] = {}

    def free(self, user_id: str) -> bool:
        """Whether work may begin by itself: none is going on, and the last has not failed.

        What failed is not begun again before the next start, to ask nobody in vain each turn.
        """
        begun = self._tasks.get(user_id)
        return begun is None or (begun.done() and (begun.cancelled() or not begun.exception()))

    def running(self, user_id: str) -> bool:
        """Whether work is going on for the user."""
        return user_id in self._tasks and not self._tasks[user_id].done()

    def begin(self, user_id: str, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Begin ``work``, unless some is going on for the user; returns what goes on then."""
        if not self.running(user_id):
            task = asyncio.create_task(work())
            task.add_done_callback(self._log_failure)
            self._tasks[user_id] = task
        return self._tasks[user_id]

    async def cancel(self, *user_ids: str) -> None:
        """Break off what goes on for these users."""
        tasks = [self._tasks[each] for each in user_ids if each in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def cancel_all(self) -> None:
        """Break off all that goes on."""
        await self.cancel(*self._tasks)

    async def finish(self) -> None:
        """Wait for all that goes on."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _log_failure(self, task: asyncio.Task[T]) -> None:
        """What failed stays due: nobody need be told now."""
        if not task.cancelled() and (error := task.exception()):
            logging.getLogger(__name__).info("%s failed: %s", self._what, error)
