"""The part of the LangGraph Store that belongs to one user: memory reads and writes nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar, get_args

from langgraph.store.base import BaseStore, PutOp, SearchItem

from personaagent.core.users import user_key
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
    "tombstones",
    "journal",
    "journal_parts",
    "persona",
    "news",
    "simulations",
    "spending",
    "preferences",
    "index",
]
StoredValue = dict[str, Any]
StoreWrite = tuple[Namespace, str, StoredValue | None]
"""A namespace, a key and the value to put there; None deletes."""
T = TypeVar("T")

WRITES_PER_BATCH = 1000
VALUES_PER_PAGE = 5000
"""Large pages, because the store sorts a whole namespace for each page that it reads."""


class UserStore:
    """The namespaces ``users.<key>.<namespace>`` of one user in ``store``.

    No method takes a user id, so nothing here can reach another user's data.
    """

    def __init__(self, store: BaseStore, user_id: str) -> None:
        self.user_id = user_id
        self.key = user_key(user_id)
        self._store = store

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
        path = self._path(namespace)
        items = await _gather(self._store.aget(path, key) for key in keys)
        return [None if item is None else item.value for item in items]

    async def put(self, namespace: Namespace, key: str, value: StoredValue) -> None:
        """Write one value."""
        await _gather([self._store.aput(self._path(namespace), key, value, index=False)])

    async def write(self, writes: Iterable[StoreWrite], *, entries: Sequence[Entry] = ()) -> None:
        """Do all of these writes in one transaction, or none of them.

        SQLite takes 32,766 values in a statement: use ``write_in_batches`` for more than some
        thousands.

        Args:
            writes: what to write.
            entries: what to write to the index, in the same transaction. Only a store that holds the
                index takes any.
        """
        operations = [
            PutOp(self._path(namespace), key, value, index=False)
            for namespace, key, value in writes
        ]
        if operations:
            with storage_errors():
                # Finish even when we are cancelled: a transaction that is cut off would stay open
                # on the connection and make the next one fail.
                await asyncio.shield(self._write(operations, entries))

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
        """Delete everything of this user but the namespaces to ``keep``."""
        for namespace in get_args(Namespace):
            if namespace not in keep:
                await self.delete_namespace(namespace)

    async def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every value of ``namespace``; returns how many there were."""
        count = 0
        while keys := await self.keys(namespace, WRITES_PER_BATCH):
            await self.write((namespace, key, None) for key in keys)
            count += len(keys)
        return count

    async def _write(self, operations: Sequence[PutOp], entries: Sequence[Entry]) -> None:
        if isinstance(self._store, SqliteStore):
            await self._store.write(operations, rows.insert(self.key, entries))
        else:
            assert not entries
            await self._store.abatch(operations)

    async def _search(self, namespace: Namespace, **options: Any) -> list[SearchItem]:
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
