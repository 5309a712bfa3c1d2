"""Pending sets: the episodes that a follower has not handled yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from personaagent.core.records import Episode, now
from personaagent.memory.user_store import Namespace, StoredValue, StoreWrite, UserStore


@dataclass(frozen=True)
class PendingSet:
    """The pending episodes of one follower, by ``namespace``.

    ``unsummarised`` holds episodes that the profile summary has not read, ``unaligned`` labels
    that alignment has not learned from. An entry is written in the transaction of its episode,
    and replaced by a new one whenever the episode changes.
    """

    store: UserStore
    namespace: Namespace

    async def due(self, after: int) -> bool:
        """Whether at least ``after`` episodes are pending; always False if ``after`` is 0."""
        return after > 0 and len(await self.store.keys(self.namespace, after)) >= after

    async def missing(self, after: int) -> int:
        """How many pending episodes are missing until ``after`` are; 0 if ``after`` is 0."""
        return after - len(await self.store.keys(self.namespace, after)) if after > 0 else 0

    async def entries(self) -> dict[str, StoredValue]:
        """The entry of each pending episode by its id, oldest episode first."""
        entries = [pair async for pair in self.store.scan(self.namespace)]
        return dict(sorted(entries, key=lambda pair: (pair[1]["at"], pair[0])))

    async def clear_until(self, moment: datetime) -> None:
        """Remove the entries that were written up to ``moment``."""
        entries = (await self.entries()).items()
        until = moment.timestamp()
        await self.clear({key: entry for key, entry in entries if entry["made"] <= until})

    async def clear(self, handled: Mapping[str, StoredValue]) -> None:
        """Remove these entries, except where the episode has changed and has a new one."""
        entries = (await self.entries()).items()
        removed = [key for key, entry in entries if handled.get(key) == entry]
        await self.store.write_in_batches((self.namespace, key, None) for key in removed)


def pending_write(namespace: Namespace, episode: Episode) -> StoreWrite:
    """The write that makes ``episode`` pending in ``namespace``."""
    at, made = episode.created_at.timestamp(), now().timestamp()
    return (namespace, episode.id, {"at": at, "made": made, "revision": uuid4().hex})
