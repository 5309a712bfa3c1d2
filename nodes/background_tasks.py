"""Work in the background of a conversation: at most one task of a kind for each user."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

from personaagent.models.waiting_line import in_background

T = TypeVar("T")

FAILURES_REMEMBERED = 10_000
RETRY_SECONDS = 3600.0
"""How long a task does not start by itself after it failed."""


class BackgroundTasks(Generic[T]):
    """The tasks of one kind, by user; ``name`` names the kind in the log.

    ``finishing`` tells long tasks that the process waits for them to end.
    """

    def __init__(self, name: str) -> None:
        self.finishing = False
        self._name = name
        self._tasks: dict[str, asyncio.Task[T]] = {}
        self._failed: TTLCache[str, None] = TTLCache[str, None](FAILURES_REMEMBERED, RETRY_SECONDS)

    def may_start(self, user_id: str) -> bool:
        """Whether a task may start by itself: none is running, and none failed in the last hour.

        So a model that is down is not asked in vain in every turn.
        """
        return not self.is_running(user_id) and user_id not in self._failed

    def is_running(self, user_id: str) -> bool:
        """Whether a task is running for the user."""
        return user_id in self._tasks and not self._tasks[user_id].done()

    def start(self, user_id: str, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Start ``work``, unless a task is running for the user; return the task that runs then.

        It runs in an empty context, so that it is not streamed or traced as part of the caller's run;
        where one model works for all, its requests come last (``models/waiting_line.py``).
        """
        if not self.is_running(user_id):
            task = self._tasks[user_id] = asyncio.create_task(
                in_background(work), context=Context()
            )
            task.add_done_callback(lambda done: self._end(user_id, done))
        return self._tasks[user_id]

    async def cancel(self, *user_ids: str) -> None:
        """Cancel the tasks of these users."""
        tasks = [self._tasks[user_id] for user_id in user_ids if user_id in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def cancel_all(self) -> None:
        """Cancel all tasks."""
        await self.cancel(*self._tasks)

    async def finish(self) -> None:
        """Wait for all tasks."""
        self.finishing = True
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _end(self, user_id: str, task: asyncio.Task[T]) -> None:
        """Log a failure, which needs no other handling: the work stays due."""
        if self._tasks.get(user_id) is task:
            del self._tasks[user_id]
        if not task.cancelled() and (error := task.exception()):
            self._failed[user_id] = None
            logging.getLogger(__name__).info("%s failed: %s", self._name, error)
