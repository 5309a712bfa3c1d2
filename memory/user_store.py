"""The part of the LangGraph Store that belongs to one user: memory reads and writes nothing else."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, get_args

from langgraph.store.base import BaseStore, GetOp, PutOp, SearchOp

from personaagent.core.users import user_key
from personaagent.memory.generation import KEY, PLACE, Guard
from personaagent.memory.guarded_writes import delete_user, write_guarded
from personaagent.memory.index import rows
from personaagent.memory.index.protocol import Entry
from personaagent.memory.snapshot import Snapshot, Wanted
from personaagent.memory.sqlite_store import SqliteStore
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.store_reads import read_batch, read_snapshot

Namespace = Literal[
    "episodes",
    "conversations",
    "unindexed",
    "unsummarised",
    "unaligned",
    "discarded",
    "profile",
    "profile_history",
    "forgotten",
    "forgettings",
    "tombstones",
    "journal",
    "journal_parts",
    "persona",
    "news",
    "simulations",
    "spending",
    "costs",
    "preferences",
    "imports",
    "index",
    "generation",
]
StoredValue = dict[str, Any]
StoreWrite = tuple[Namespace, str, StoredValue | None]
"""A namespace, a key and the value to put there; None deletes."""
Need = tuple[Namespace, str]
"""A namespace and a key under which something must stand."""
Expected = Mapping[tuple[str, str], StoredValue | None]
"""What stands where, as a writer read it."""
NOTHING: Expected = {}

WRITES_PER_BATCH = 1000
VALUES_PER_PAGE = 5000
"""Large pages, because the store sorts a whole namespace for each page that it reads."""


class UserStore:
    """The namespaces ``users.<key>.<namespace>`` of one user in ``store``.

    No method takes a user id, so nothing here can reach another user's data. What is written belongs
    to the generation of the first access, and is refused once the user was forgotten
    (``memory/generation.py``).

    What an operation reads again and again it may read in one trip (``prefetch``), and then has it at
    hand until it writes anything.

    Args:
        store: of all users.
        user_id: whose part.
        generation: in which the operation began, if it goes on what began elsewhere; empty: now.
    """

    def __init__(self, store: BaseStore, user_id: str, generation: str = "") -> None:
        self.user_id = user_id
        self.key = user_key(user_id)
        self._store = store
        self._generation: str | None = generation or None
        self._pinned = bool(generation)
        self._pinning = asyncio.Lock()
        self._snapshot: Snapshot | None = None

    @property
    def base_store(self) -> BaseStore:
        """The store of all users, for a graph to run on: nodes take their user's part of it again."""
        return self._store

    @property
    def generation(self) -> str:
        """The one that writes belong to; empty if none is known, or there is none yet."""
        return self._generation or ""

    @property
    def holds_index(self) -> bool:
        """Whether ``write`` takes entries: the store's database holds the index."""
        return isinstance(self._store, SqliteStore)

    async def get(self, namespace: Namespace, *keys: str) -> list[StoredValue | None]:
        """The values of ``keys``, in that order; None for a key that does not exist."""
        if not keys:
            return []
        known = None if self._snapshot is None else self._snapshot.get(namespace, keys)
        if known is not None:
            return known
        await self._pin_first()
        return await self._get(namespace, *keys)

    async def _get(self, namespace: Namespace, *keys: str) -> list[StoredValue | None]:
        path = self._path(namespace)
        with storage_errors():
            items = await read_batch(self._store, [GetOp(path, key) for key in keys])
        return [None if item is None else item.value for item in items]

    async def read(self, wanted: Wanted) -> Snapshot:
        """Read all that is wanted at one moment, in one trip. The first one pins the generation."""
        wanted = Wanted({*wanted.places, PLACE}, wanted.scans)
        with storage_errors():
            snapshot = await read_snapshot(self._store, self.key, wanted)
        if not self._pinned:
            self._pin_to(snapshot.values.get(PLACE))
        return snapshot

    async def prefetch(self, wanted: Wanted) -> None:
        """Have what is wanted at hand, unless it is: until something is written."""
        if self._snapshot is None or not self._snapshot.covers(wanted):
            self.have(await self.read(wanted))

    def have(self, snapshot: Snapshot | None) -> None:
        """Have this at hand, until something is written; None: nothing."""
        self._snapshot = snapshot
        if snapshot is not None and not self._pinned:
            self._pin_to(snapshot.values.get(PLACE))

    @property
    def at_hand(self) -> Snapshot | None:
        """What was prefetched, if nothing was written since."""
        return self._snapshot

    async def put(self, namespace: Namespace, key: str, value: StoredValue) -> None:
        """Write one value; errors as of ``write``."""
        await self.write([(namespace, key, value)])

    async def pin(self) -> None:
        """Let what is written from now on belong to the generation of now.

        The first access does so by itself. Call it where an operation begins earlier, or where
        another one begins with the same object.
        """
        [value] = await self._get("generation", KEY)
        self._pin_to(value)

    def _pin_to(self, value: StoredValue | None) -> None:
        self._generation = None if value is None else str(value["id"])
        self._pinned = True

    async def _pin_first(self) -> None:
        """Pin, unless that was done."""
        if not self._pinned:
            async with self._pinning:
                if not self._pinned:
                    await self.pin()

    async def begin(self, *, needs: Collection[Need] = ()) -> str:
        """Begin an operation that lasts, or go on with one; returns its generation, also for a user
        of whom nothing is stored yet.

        Raises:
            Forgotten: as of ``write``.
        """
        await self._pin_first()
        await self._shielded([], (), needs)
        return str(self._generation)

    async def begin_anew(self) -> None:
        """Begin another generation: from here on nothing that began before can write."""
        self._snapshot = None
        with storage_errors():
            guard = Guard(self.key, None, renews=True)
            self._generation = await asyncio.shield(write_guarded(self._store, guard, []))
        self._pinned = True

    async def write(
        self,
        writes: Iterable[StoreWrite],
        *,
        entries: Sequence[Entry] = (),
        needs: Collection[Need] = (),
        expects: Expected = NOTHING,
    ) -> None:
        """Do all of these writes in one transaction, or none of them.

        SQLite takes 32,766 values in a statement: use ``write_in_batches`` for more than some
        thousands.

        Args:
            writes: what to write.
            entries: what to write to the index, in the same transaction. Only a store that holds the
                index takes any. Those of episodes that are not there have no effect.
            needs: what this rests on.
            expects: what must stand still, since this was decided from it.

        Raises:
            Forgotten: the user was forgotten since the first access, or something that this
                ``needs``; nothing was written.
            Outdated: not all stands that this ``expects``; nothing was written.
        """
        await self._pin_first()
        operations = [
            PutOp(self._path(namespace), key, value, index=False)
            for namespace, key, value in writes
        ]
        if operations:
            await self._shielded(operations, entries, needs, expects)

    async def write_in_batches(self, writes: Iterable[StoreWrite]) -> None:
        """Do any number of writes, 1,000 to a transaction; a failure leaves them half done."""
        remaining = iter(writes)
        while batch := list(islice(remaining, WRITES_PER_BATCH)):
            await self.write(batch)

    async def scan(
        self, namespace: Namespace, **fields: Any
    ) -> AsyncIterator[tuple[str, StoredValue]]:
        """Every key and value of ``namespace`` whose fields equal ``fields``, in no set order."""
        known = None if fields or self._snapshot is None else self._snapshot.whole(namespace)
        if known is not None:
            for pair in known:
                yield pair
            return
        offset = 0
        while True:
            page = await self._search(
                namespace, filter=fields or None, limit=VALUES_PER_PAGE, offset=offset
            )
            for item in page:
                yield item.key, item.value
            if len(page) < VALUES_PER_PAGE:
                return
            offset += VALUES_PER_PAGE

    async def keys(self, namespace: Namespace, limit: int) -> list[str]:
        """Up to ``limit`` keys of ``namespace``."""
        known = None if self._snapshot is None else self._snapshot.keys(namespace, limit)
        if known is not None:
            return known
        return [item.key for item in await self._search(namespace, limit=limit)]

    async def delete_all(self, *, keep: Collection[Namespace] = ()) -> None:
        """Delete everything of this user but the namespaces to ``keep``, and end the generation.

        What is large goes in many steps, so that others are not kept waiting; the last step, which no
        write can divide, takes whatever is left. Nothing can come back then.
        """
        for namespace in get_args(Namespace):
            if namespace not in (*keep, "generation"):
                await self.delete_namespace(namespace)
        with storage_errors():
            await asyncio.shield(delete_user(self._store, self.key, keep))
        self._pinned, self._snapshot = False, None

    async def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every value of ``namespace``; returns how many there were."""
        count = 0
        while keys := await self.keys(namespace, WRITES_PER_BATCH):
            await self.write((namespace, key, None) for key in keys)
            count += len(keys)
        return count

    async def _shielded(
        self,
        operations: Sequence[PutOp],
        entries: Sequence[Entry],
        needs: Collection[Need] = (),
        expects: Expected = NOTHING,
    ) -> None:
        """Finish even when we are cancelled: a transaction that is cut off would stay open on the
        connection and make the next one fail."""
        with storage_errors():
            await asyncio.shield(self._write(operations, entries, needs, expects))

    async def _write(
        self,
        operations: Sequence[PutOp],
        entries: Sequence[Entry],
        needs: Collection[Need],
        expects: Expected,
    ) -> None:
        self._snapshot = None
        guard = Guard(self.key, self._generation, needs, expects)
        statements = rows.insert_existing(self.key, entries) if entries else []
        self._generation = await write_guarded(self._store, guard, operations, statements)

    async def _search(self, namespace: Namespace, **options: Any) -> list[Any]:
        await self._pin_first()
        with storage_errors():
            found = await read_batch(self._store, [SearchOp(self._path(namespace), **options)])
        return [*found[0]]

    def _path(self, namespace: str) -> tuple[str, str, str]:
        return ("users", self.key, namespace)
