"""Work beside a conversation, at most one piece of a kind a user at a time."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

T = TypeVar("T")

FAILED = 10_000
REST = 3600.0
"""Of so many users who failed last is known, for so many seconds."""


class Background(Generic[T]):
    """The pieces of work of one kind, by user; ``what`` they are, for the log."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._tasks: dict[str, asyncio.Task[T]] = {}
        self._failed: TTLCache[str, None] = TTLCache(FAILED, REST)

    def free(self, user_id: str) -> bool:
        """Whether work may begin by itself: none is going on, and none has failed in the last hour,
        so that nobody is asked in vain each turn."""
        return not self.running(user_id) and user_id not in self._failed

    def running(self, user_id: str) -> bool:
        """Whether work is going on for the user."""
        return user_id in self._tasks and not self._tasks[user_id].done()

    def begin(self, user_id: str, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Begin ``work``, unless some is going on for the user; returns what goes on then.

        It stands in no context of whoever begins it: nothing of it is streamed or traced as theirs.
        """
        if not self.running(user_id):
            task = self._tasks[user_id] = asyncio.create_task(work(), context=Context())
            task.add_done_callback(lambda done: self._end(user_id, done))
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

    def _end(self, user_id: str, task: asyncio.Task[T]) -> None:
        """What failed stays due: nobody need be told now."""
        if self._tasks.get(user_id) is task:
            del self._tasks[user_id]
        if not task.cancelled() and (error := task.exception()):
            self._failed[user_id] = None
            logging.getLogger(__name__).info("%s failed: %s", self._what, error)
