"""Marks: which episodes are new to somebody who follows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from personaagent.core.records import Episode, now
from personaagent.memory.user_store import Change, Namespace, UserStore, Value


@dataclass(frozen=True)
class PendingSet:
    """The marks of one ``kind``: ``unsummarised`` (an episode that the profile summary has not
    seen) or ``unaligned`` (a label that alignment has not seen).

    A mark is written in the transaction of its episode, and another one with each change of it.
    """

    space: UserStore
    kind: Namespace

    async def due(self, after: int) -> bool:
        """Whether at least ``after`` episodes are new; never, for 0."""
        return after > 0 and len(await self.space.some(self.kind, after)) >= after

    async def marks(self) -> dict[str, Value]:
        """The ids of the episodes that are new, each with its mark, oldest episode first."""
        marks = [mark async for mark in self.space.each(self.kind)]
        return dict(sorted(marks, key=lambda mark: (mark[1]["at"], mark[0])))

    async def clear_until(self, moment: datetime) -> None:
        """The episodes that were added or labelled up to ``moment`` are new no longer."""
        marks = (await self.marks()).items()
        await self.clear({key: mark for key, mark in marks if mark["made"] <= moment.timestamp()})

    async def clear(self, seen: Mapping[str, Value]) -> None:
        """The episodes with the marks ``seen`` are new no longer.

        One that was added or labelled since then has another mark, and keeps it.
        """
        done = [key for key, mark in (await self.marks()).items() if seen.get(key) == mark]
        await self.space.write_many((self.kind, key, None) for key in done)


def mark(kind: Namespace, episode: Episode) -> Change:
    """The change by which ``episode`` is new to those who follow ``kind``."""
    at, made = episode.created_at.timestamp(), now().timestamp()
    return (kind, episode.id, {"at": at, "made": made, "revision": uuid4().hex})
