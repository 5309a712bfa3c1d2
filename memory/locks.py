"""Locks that let one writer at a time change a user's persona, wherever the writers run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from langgraph.store.base import BaseStore

from personaagent.core.errors import DataError
from personaagent.core.files import make_private
from personaagent.memory.storage_errors import HELD_TOO_LONG

if TYPE_CHECKING:
    from filelock import AsyncFileLock

Lock = Callable[[], AbstractAsyncContextManager[None]]
LOCK_TIMEOUT = 30
"""Seconds to wait for another writer."""


class LocksInProcess:
    """A lock for each key and event loop, as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, key: str, patience: int | None = None) -> AsyncIterator[None]:
        """Hold the lock of this key in the running event loop; errors as of ``hold``."""
        loop = asyncio.get_running_loop()
        lock = self._locks.setdefault((id(loop), key), asyncio.Lock())
        async with hold(lock, patience):
            yield


@asynccontextmanager
async def hold(
    lock: asyncio.Lock | asyncio.Semaphore, patience: int | None = None
) -> AsyncIterator[None]:
    """Hold a lock, or one of the places of a semaphore.

    Raises:
        DataError: it was not free in so many seconds.
    """
    try:
        async with asyncio.timeout(LOCK_TIMEOUT if patience is None else patience):
            await lock.acquire()
    except TimeoutError as error:
        raise DataError(HELD_TOO_LONG) from error
    try:
        yield
    finally:
        lock.release()


def database_of(store: BaseStore) -> str | None:
    """The address of the store's Postgres database; None for a store of another kind."""
    address = getattr(getattr(store, "conn", None), "conninfo", None)
    return address if isinstance(address, str) else None


@asynccontextmanager
async def database_lock(address: str, key: str, patience: int | None = None) -> AsyncIterator[None]:
    """Hold the lock of ``key`` against all processes that use this Postgres, on any machine.

    It opens a connection of its own: if waiting writers each held a connection of the store's
    pool, while the writer with the lock needs one more, all would be stuck.
    """
    from psycopg import AsyncConnection  # pyright: ignore[reportMissingImports]  # installed only where the store is a Postgres

    async with await AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute(
            f"SET lock_timeout = '{LOCK_TIMEOUT if patience is None else patience}s'"
        )
        await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        yield


@asynccontextmanager
async def file_lock(path: Path, patience: int | None = None) -> AsyncIterator[None]:
    """Hold the lock at ``path`` against all processes on this machine."""
    async with await asyncio.to_thread(_file_lock, path, patience):
        yield


def _file_lock(path: Path, patience: int | None) -> "AsyncFileLock":
    from filelock import AsyncFileLock  # importing it probes the file system

    make_private(path.parent)
    return AsyncFileLock(path, timeout=LOCK_TIMEOUT if patience is None else patience)
