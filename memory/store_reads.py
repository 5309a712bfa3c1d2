"""Reads of a user's part of the store: as many at once as are wanted, in one trip."""

import asyncio
from collections.abc import Sequence
from typing import Any

from langgraph.store.base import BaseStore, GetOp, Op, SearchOp

from personaagent.memory.snapshot import Snapshot, Wanted
from personaagent.memory.sqlite_store import SqliteStore


async def read_batch(store: BaseStore, ops: Sequence[Op]) -> list[Any]:
    """The results of these reading operations."""
    if isinstance(store, SqliteStore):
        return await store.abatch(ops)
    return await asyncio.shield(store.abatch(ops))  # not cut off in a transaction


async def read_snapshot(store: BaseStore, user: str, wanted: Wanted) -> Snapshot:
    """What is wanted of the user of this key, as it is now."""
    read = _read_sqlite if isinstance(store, SqliteStore) else _read_batch
    return await read(store, user, wanted)


async def _read_sqlite(store: Any, user: str, wanted: Wanted) -> Snapshot:
    paths = {(_path(user, namespace), key): (namespace, key) for namespace, key in wanted.places}
    scans = {_path(user, namespace): limit for namespace, limit in wanted.scans.items()}
    values, rows = await store.read([*paths], scans)
    return Snapshot(
        wanted,
        {paths[path]: value for path, value in values.items()},
        {path[-1]: pairs for path, pairs in rows.items()},
    )


async def _read_batch(store: BaseStore, user: str, wanted: Wanted) -> Snapshot:
    places, scans = [*wanted.places], wanted.scans
    gets = [GetOp(_path(user, namespace), key) for namespace, key in places]
    searches = [SearchOp(_path(user, name), limit=limit) for name, limit in scans.items()]
    results = await read_batch(store, [*gets, *searches])
    items = zip(places, results[: len(gets)], strict=True)
    pages = zip(scans, results[len(gets) :], strict=True)
    return Snapshot(
        wanted,
        {place: item.value for place, item in items if item is not None},
        {name: [(item.key, item.value) for item in page] for name, page in pages},
    )


def _path(user: str, namespace: str) -> tuple[str, str, str]:
    return ("users", user, namespace)
