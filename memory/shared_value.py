"""A stored value that many processes change: each change reads it and writes it in one step."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from langgraph.store.base import BaseStore

from personaagent.memory.locks import database_of
from personaagent.memory.sqlite_store import SqliteStore
from personaagent.memory.storage_errors import storage_errors

Value = dict[str, Any]
Result = TypeVar("Result")
Change = Callable[[Value | None], tuple[Value | None, Result]]
"""From the value that is stored (None: there is none) to the one to store, and what it found out. It
may be tried more than once, so it changes nothing else. None stores nothing."""

READ = "SELECT value FROM store WHERE prefix = %s AND key = %s"
WRITE = """
    INSERT INTO store (prefix, key, value) VALUES (%s, %s, %s)
    ON CONFLICT (prefix, key) DO UPDATE SET value = EXCLUDED.value, updated_at = CURRENT_TIMESTAMP
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"

_locks: WeakKeyDictionary[BaseStore, asyncio.Lock] = WeakKeyDictionary()


async def change_value(
    store: BaseStore, path: tuple[str, ...], key: str, change: Change[Result]
) -> Result:
    """Change one value of ``store``, while no other process changes it; returns what ``change`` found.

    It goes on when it is cancelled: what is begun is written, or not at all.

    Raises:
        DataError: the store cannot be used now.
    """
    with storage_errors():
        return await asyncio.shield(_change(store, path, key, change))


async def _change(
    store: BaseStore, path: tuple[str, ...], key: str, change: Change[Result]
) -> Result:
    if isinstance(store, SqliteStore):
        return await store.change(path, key, change)
    if database_of(store):
        return await _change_in_postgres(store, ".".join(path), key, change)
    async with _locks.setdefault(store, asyncio.Lock()):
        item = await store.aget(path, key)
        value, result = change(None if item is None else item.value)
        if value is not None:
            await store.aput(path, key, value, index=False)
        return result


async def _change_in_postgres(store: Any, prefix: str, key: str, change: Change[Result]) -> Result:
    from psycopg.rows import tuple_row  # pyright: ignore[reportMissingImports]  # installed only where the store is a Postgres

    async with store.conn.connection() as connection, connection.transaction():
        cursor = connection.cursor(row_factory=tuple_row)
        await cursor.execute(LOCK, [f"{prefix} {key}"])
        await cursor.execute(READ, [prefix, key])
        row = await cursor.fetchone()
        value, result = change(None if row is None else row[0])
        if value is not None:
            await cursor.execute(WRITE, [prefix, key, json.dumps(value)])
        return result
