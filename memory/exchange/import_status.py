"""How far the imports of a user are, noted in the store: any process shows them, and can cancel them.

An import that takes no longer than a second notes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import uuid4

from personaagent.core.errors import PersonaAgentError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Moment, Record, now
from personaagent.memory.exchange.check_import import ReportProgress
from personaagent.memory.exchange.importer import ImportCancelled, ImportProgress
from personaagent.memory.user_store import UserStore

EVERY = 1.0
"""Seconds between two notes."""
SILENT = timedelta(seconds=60)
"""Whoever has noted nothing for so long is gone: the process was killed."""
CANCELLED = ".cancelled"
"""What follows the key of an import that is to end."""

Step = Literal["checking", "importing"]
STEPS: tuple[Step, ...] = ("checking", "importing")
"""What an import does, in order: it reads all of the file before it stores anything."""


class ImportStatus(Record):
    """An import under way, or the preview of one.

    Args:
        key: names it.
        step: what it does now.
        done: percent of the file that are checked, or episodes that are done.
        total: how much there is of it.
        began_at: when it began.
        at: when this was noted.
    """

    key: str
    step: Step
    done: float
    total: float | None
    began_at: Moment
    at: Moment


@dataclass(frozen=True)
class Imports:
    """The imports of one user that are under way."""

    store: UserStore

    async def running(self) -> list[ImportStatus]:
        """Each of them, the one that began first first."""
        values = [
            value async for key, value in self.store.scan("imports") if not key.endswith(CANCELLED)
        ]
        alive = filter(_is_alive, map(ImportStatus.model_validate, values))
        return sorted(alive, key=lambda each: each.began_at)

    async def cancel(self) -> list[ImportStatus]:
        """Let them end after what they are at; what is stored by then stays. Returns them."""
        running = await self.running()
        await self.store.write([("imports", f"{each.key}{CANCELLED}", {}) for each in running])
        return running

    async def left(self) -> list[str]:
        """The keys of what is noted of imports that ended without removing it, being killed."""
        keys = [key async for key, _ in self.store.scan("imports")]
        under_way = {each.key for each in await self.running()}
        return [key for key in keys if key.removesuffix(CANCELLED) not in under_way]

    @asynccontextmanager
    async def noting(self) -> AsyncIterator[ImportProgress]:
        """The progress to give to an import, or a preview: it is noted, and can be cancelled."""
        note = _Note(self.store)
        task = asyncio.create_task(note.keep_up())
        try:
            yield note.progress
        finally:
            note.ended.set()
            await task
            await note.remove()


@dataclass
class _Note:
    """What is noted of one import."""

    store: UserStore
    key: str = field(default_factory=lambda: uuid4().hex)
    began_at: Moment = field(default_factory=now)
    steps_begun: int = 0
    step: Step = STEPS[0]
    done: float = 0
    total: float | None = None
    cancelled: bool = False
    stored: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def progress(self, text: str) -> Iterator[ReportProgress]:
        """Report the next step, whatever a command would call it; raises ``ImportCancelled``."""
        self.step = STEPS[min(self.steps_begun, len(STEPS) - 1)]
        self.steps_begun, self.done, self.total = self.steps_begun + 1, 0, None
        yield self._report

    def _report(self, done: float, total: float | None, /) -> None:
        self.done, self.total = done, total
        if self.cancelled:
            raise ImportCancelled

    async def keep_up(self) -> None:
        """Note where the import is, again and again, and see whether it is to end."""
        while not await self._ends_within(EVERY):
            try:
                await self._note()
            except PersonaAgentError as error:  # the import finds out itself what is wrong
                count_failure(error)

    async def _ends_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), seconds)
        return self.ended.is_set()

    async def _note(self) -> None:
        self.stored = True
        status = ImportStatus(
            key=self.key,
            step=self.step,
            done=self.done,
            total=self.total,
            began_at=self.began_at,
            at=now(),
        )
        await self.store.put("imports", self.key, status.stored())
        [cancelled] = await self.store.get("imports", f"{self.key}{CANCELLED}")
        self.cancelled = cancelled is not None

    async def remove(self) -> None:
        """Remove what was noted of this import, and what others left."""
        if not self.stored:
            return
        try:
            keys = {self.key, f"{self.key}{CANCELLED}", *await Imports(self.store).left()}
            await self.store.write([("imports", key, None) for key in keys])
        except PersonaAgentError as error:  # it is not believed for long
            count_failure(error)


def _is_alive(status: ImportStatus) -> bool:
    return now() - status.at < SILENT
