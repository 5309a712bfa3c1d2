"""What keeps the writers of one user's persona apart, wherever they run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from langgraph.store.base import BaseStore

from personaagent.core.files import make_private

if TYPE_CHECKING:
    from filelock import AsyncFileLock

PATIENCE = 30
"""Seconds to wait for the other."""


def database_of(store: BaseStore) -> str | None:
    """The address of the Postgres that the store is in; None for a store of another kind."""
    address = getattr(getattr(store, "conn", None), "conninfo", None)
    return address if isinstance(address, str) else None


@asynccontextmanager
async def database_lock(address: str, key: str) -> AsyncIterator[None]:
    """Keeps others of the same key out, also those of other machines on the same Postgres.

    On a connection of its own: one of the store's pool, held by each of many who wait for another
    one of it, would hold up all of them.
    """
    from psycopg import AsyncConnection  # there only where the store is a Postgres

    async with await AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute(f"SET lock_timeout = '{PATIENCE}s'")
        await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        yield


@asynccontextmanager
async def file_lock(path: Path) -> AsyncIterator[None]:
    """Keeps others of the same path out, also those of other processes on this machine."""
    async with await asyncio.to_thread(_file_lock, path):
        yield


def _file_lock(path: Path) -> "AsyncFileLock":
    from filelock import AsyncFileLock  # its import probes the file system

    make_private(path.parent)
    return AsyncFileLock(path, timeout=PATIENCE)
