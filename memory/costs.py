"""What the model calls of a user take, by day and by what they were for, as long as they are remembered.

Nobody waits for it. A process collects what is noted and writes it a moment later, to a record of its
own for each day, so that writers need not agree. Old records are merged when they are read. A process
that is killed loses what it noted in the last moments; forgetting everything deletes all records.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from langgraph.store.base import BaseStore

from personaagent.core.errors import Forgotten, PersonaAgentError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Record, RoleUsage, new_id, now
from personaagent.memory.user_store import StoreWrite, UserStore

Purpose = Literal["answers", "summaries", "learning", "tests"]
WRITE_AFTER = 2.0
"""Seconds that what was noted waits for more."""
STILL_WRITTEN = timedelta(days=1)
"""A process may still write to its record of yesterday."""
PAGES_OPEN = 1024
_Owner = tuple[str, str]
"""The key of a user, and their generation."""


class DayCosts(Record):
    """Calls and tokens of a day (UTC), by what they were for."""

    day: date
    by_purpose: dict[str, RoleUsage]

    def __add__(self, other: "DayCosts") -> "DayCosts":
        return DayCosts(day=self.day, by_purpose=added(self.by_purpose, other.by_purpose))


def added(one: Mapping[str, RoleUsage], other: Mapping[str, RoleUsage]) -> dict[str, RoleUsage]:
    """Both together, by purpose."""
    names = [*dict.fromkeys([*one, *other])]
    return {name: one.get(name, RoleUsage()) + other.get(name, RoleUsage()) for name in names}


@dataclass(eq=False)
class _Page:
    """What this process has noted for a user on one day: a record that it alone overwrites."""

    costs: DayCosts
    id: str = field(default_factory=new_id)


class CostBook:
    """What a process has noted of all users, each store by itself: every event loop has its own."""

    def __init__(self) -> None:
        self._pages: WeakKeyDictionary[BaseStore, LRUCache[_Owner, _Page]] = WeakKeyDictionary()
        self._unwritten: dict[int, dict[_Page, UserStore]] = {}
        self._timers: WeakKeyDictionary[BaseStore, tuple[asyncio.AbstractEventLoop, asyncio.Handle]]
        self._timers = WeakKeyDictionary()
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, store: UserStore, purpose: Purpose, usage: RoleUsage, day: date) -> None:
        """Note what a call took; it is written a moment later."""
        page = self._page(store, day)
        page.costs += DayCosts(day=day, by_purpose={purpose: usage})
        self._unwritten.setdefault(id(store.base_store), {})[page] = store
        self._write_later(store.base_store)

    async def write(self, base: BaseStore) -> None:
        """Write what was noted for this store, and let go of it."""
        if timer := self._timers.pop(base, None):
            timer[1].cancel()
        for page, store in self._unwritten.pop(id(base), {}).items():
            try:
                await store.put("costs", page.id, page.costs.stored())
            except PersonaAgentError as error:  # what the page holds is lost
                self._pages[base].pop(_owner(store), None)
                count_failure(error)

    async def aclose(self) -> None:
        """Write all that was noted."""
        for _, timer in self._timers.values():
            timer.cancel()
        unwritten = {next(iter(pages.values())).base_store for pages in self._unwritten.values()}
        await asyncio.gather(*self._writing, *map(self.write, unwritten))

    def _write_later(self, base: BaseStore) -> None:
        loop = asyncio.get_running_loop()
        if base in self._timers and self._timers[base][0] is loop:
            return
        timer = loop.call_later(WRITE_AFTER, self._start_writing, base, context=Context())
        self._timers[base] = (loop, timer)

    def _start_writing(self, base: BaseStore) -> None:
        self._timers.pop(base, None)
        task = asyncio.get_running_loop().create_task(self.write(base))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _page(self, store: UserStore, day: date) -> _Page:
        """The page of the user's generation, a new one every day.

        Without a generation each note has a page of its own: a shared one would be written again,
        with calls that the user has forgotten since.
        """
        pages = self._pages.setdefault(store.base_store, LRUCache(PAGES_OPEN))
        if not store.generation:
            return _Page(DayCosts(day=day, by_purpose={}))
        page = pages.get(_owner(store))
        if page is None or page.costs.day != day:
            page = pages[_owner(store)] = _Page(DayCosts(day=day, by_purpose={}))
        return page


def _owner(store: UserStore) -> _Owner:
    return (store.key, store.generation)


@dataclass(frozen=True)
class Costs:
    """What the model calls of one user take."""

    store: UserStore
    book: CostBook
    clock: Callable[[], datetime] = now

    def note(self, purpose: Purpose, usage: RoleUsage) -> None:
        """Note what a call took."""
        if usage != RoleUsage():
            self.book.note(self.store, purpose, usage, self.clock().date())

    async def by_day(self) -> list[DayCosts]:
        """The days (UTC) on which a model was asked, oldest first."""
        await self.book.write(self.store.base_store)
        keys: dict[date, list[str]] = {}
        days: dict[date, DayCosts] = {}
        async for key, value in self.store.scan("costs"):
            noted = DayCosts.model_validate(value)
            keys.setdefault(noted.day, []).append(key)
            days[noted.day] = days[noted.day] + noted if noted.day in days else noted
        for day in sorted(days):
            if len(keys[day]) > 1 and day < self.clock().date() - STILL_WRITTEN:
                await self._merge(keys[day], days[day])
        return [days[day] for day in sorted(days)]

    async def _merge(self, keys: Sequence[str], costs: DayCosts) -> None:
        """Make one record of a day's many, unless somebody else does so."""
        writes: list[StoreWrite] = [("costs", key, None) for key in keys]
        with suppress(Forgotten):
            await self.store.write(
                [*writes, ("costs", new_id(), costs.stored())],
                needs=[("costs", key) for key in keys],
            )
