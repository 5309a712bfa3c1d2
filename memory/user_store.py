"""The part of the LangGraph Store that belongs to one user: memory reads and writes nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar, get_args

from langgraph.store.base import BaseStore, PutOp, SearchItem

from personaagent.core.users import user_key
from personaagent.memory.generation import KEY, Guard
from personaagent.memory.guarded_writes import delete_user, write_guarded
from personaagent.memory.index import rows
from personaagent.memory.index.protocol import Entry
from personaagent.memory.sqlite_store import SqliteStore
from personaagent.memory.storage_errors import storage_errors

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
T = TypeVar("T")

WRITES_PER_BATCH = 1000
VALUES_PER_PAGE = 5000
"""Large pages, because the store sorts a whole namespace for each page that it reads."""


class UserStore:
    """The namespaces ``users.<key>.<namespace>`` of one user in ``store``.

    No method takes a user id, so nothing here can reach another user's data. What is written belongs
    to the generation of the first access, and is refused once the user was forgotten
    (``memory/generation.py``).

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

    @property
    def base_store(self) -> BaseStore:
        """The store of all users, for a graph to run on: nodes take their user's part of it again."""
        return self._store

    @property
    def holds_index(self) -> bool:
        """Whether ``write`` takes entries: the store's database holds the index."""
        return isinstance(self._store, SqliteStore)

    async def get(self, namespace: Namespace, *keys: str) -> list[StoredValue | None]:
        """The values of ``keys``, in that order; None for a key that does not exist."""
        await self._pin_first()
        return await self._get(namespace, *keys)

    async def _get(self, namespace: Namespace, *keys: str) -> list[StoredValue | None]:
        path = self._path(namespace)
        items = await _gather(self._store.aget(path, key) for key in keys)
        return [None if item is None else item.value for item in items]

    async def put(self, namespace: Namespace, key: str, value: StoredValue) -> None:
        """Write one value; errors as of ``write``."""
        await self.write([(namespace, key, value)])

    async def pin(self) -> None:
        """Let what is written from now on belong to the generation of now.

        The first access does so by itself. Call it where an operation begins earlier, or where
        another one begins with the same object.
        """
        [value] = await self._get("generation", KEY)
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
    ) -> None:
        """Do all of these writes in one transaction, or none of them.

        SQLite takes 32,766 values in a statement: use ``write_in_batches`` for more than some
        thousands.

        Args:
            writes: what to write.
            entries: what to write to the index, in the same transaction. Only a store that holds the
                index takes any. Those of episodes that are not there have no effect.
            needs: what this rests on.

        Raises:
            Forgotten: the user was forgotten since the first access, or something that this
                ``needs``; nothing was written.
        """
        await self._pin_first()
        operations = [
            PutOp(self._path(namespace), key, value, index=False)
            for namespace, key, value in writes
        ]
        if operations:
            await self._shielded(operations, entries, needs)

    async def write_in_batches(self, writes: Iterable[StoreWrite]) -> None:
        """Do any number of writes, 1,000 to a transaction; a failure leaves them half done."""
        remaining = iter(writes)
        while batch := list(islice(remaining, WRITES_PER_BATCH)):
            await self.write(batch)

    async def scan(
        self, namespace: Namespace, **fields: Any
    ) -> AsyncIterator[tuple[str, StoredValue]]:
        """Every key and value of ``namespace`` whose fields equal ``fields``, in no set order."""
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
        self._pinned = False

    async def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every value of ``namespace``; returns how many there were."""
        count = 0
        while keys := await self.keys(namespace, WRITES_PER_BATCH):
            await self.write((namespace, key, None) for key in keys)
            count += len(keys)
        return count

    async def _shielded(
        self, operations: Sequence[PutOp], entries: Sequence[Entry], needs: Collection[Need] = ()
    ) -> None:
        """Finish even when we are cancelled: a transaction that is cut off would stay open on the
        connection and make the next one fail."""
        with storage_errors():
            await asyncio.shield(self._write(operations, entries, needs))

    async def _write(
        self, operations: Sequence[PutOp], entries: Sequence[Entry], needs: Collection[Need]
    ) -> None:
        guard = Guard(self.key, self._generation, needs)
        statements = rows.insert_existing(self.key, entries) if entries else []
        self._generation = await write_guarded(self._store, guard, operations, statements)

    async def _search(self, namespace: Namespace, **options: Any) -> list[SearchItem]:
        await self._pin_first()
        [items] = await _gather([self._store.asearch(self._path(namespace), **options)])
        return items

    def _path(self, namespace: Namespace) -> tuple[str, str, str]:
        return ("users", self.key, namespace)


async def _gather(calls: Iterable[Awaitable[T]]) -> list[T]:
    """The results of these calls to the store.

    The store queues calls and runs all that are waiting in one transaction, so that many at once
    cost little more than one.
    """
    with storage_errors():
        return await asyncio.gather(*calls)
