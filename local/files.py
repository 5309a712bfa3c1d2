"""The databases in the user's data folder, in SQLite: what is remembered, and the checkpoints."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.store.sqlite import AsyncSqliteStore

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.errors import Conflict, DataError
from personaagent.core.files import make_private
from personaagent.core.users import user_key
from personaagent.memory.storage_errors import storage_errors

NAMES = 1000
"""Users looked up at a time."""


@dataclass(frozen=True)
class Files:
    """The open databases of the data folder ``home``."""

    home: Path
    store: AsyncSqliteStore
    saver: AsyncSqliteSaver

    async def threads(self, user_id: str) -> list[str]:
        """Every thread of the user: conversations, also one that broke off before it was
        remembered, and their alignment."""
        first, last = conversation(user_id, ""), f"{user_key(user_id)};"
        alignment = alignment_thread(user_id)
        with storage_errors():
            found = await self.saver.conn.execute_fetchall(
                "SELECT thread_id FROM (SELECT thread_id FROM checkpoints UNION "
                "SELECT thread_id FROM writes) "
                "WHERE thread_id >= ? AND thread_id < ? OR thread_id = ?",
                (first, last, alignment),
            )
        return [thread for (thread,) in found]

    async def delete_threads(self, threads: Collection[str]) -> None:
        """Delete the checkpoints of these threads."""
        with storage_errors():
            for thread in threads:
                await self.saver.adelete_thread(thread)

    async def truncate_logs(self) -> None:
        """Take what was deleted out of the files: out of the write-ahead logs, and out of the room
        that rows left behind when they were moved, which SQLite overwrites only as it packs anew."""
        with storage_errors():
            for database in (self.store, self.saver):
                async with database.lock:
                    await database.conn.execute("VACUUM")
                    await database.conn.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    async def users_with_new_labels(self) -> list[str]:
        """Who has labels that alignment has not seen, in order: the operator's view.

        The one place that looks beyond a single user. It reads nothing but names: the folder keeps
        users under a hash, so that the name itself is taken from an episode of each.
        """
        keys: list[str] = []
        with storage_errors():
            while page := await self.store.alist_namespaces(
                prefix=("users", "*", "unaligned"), limit=NAMES, offset=len(keys)
            ):
                keys += [key for _, key, _ in page]
            found = [await self.store.asearch(("users", key, "episodes"), limit=1) for key in keys]
        return sorted(item.value["episode"]["user_id"] for items in found for item in items)

    @contextmanager
    def alone(self, user_id: str, *, leaving: bool = False) -> Iterator[None]:
        """Keep other alignments of the user out while the block runs, also of other processes.

        ``leaving``: take the lock file away in the end; its name tells that there was such a user.

        Raises:
            Conflict: somebody else is in such a block.
        """
        from filelock import FileLock, Timeout  # its import probes the file system

        path = self.home / "locks" / f"{user_key(user_id)[:32]}.align.lock"
        make_private(path.parent)
        lock = FileLock(path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout as busy:
            raise Conflict(
                f"The persona of '{user_id}' is being aligned by another process, or something is "
                "being forgotten: wait until that has ended, and try again."
            ) from busy
        try:
            yield
            if leaving:
                path.unlink(missing_ok=True)
        finally:
            lock.release()


def conversation(user_id: str, name: str) -> str:
    """The thread of the conversation that the user calls ``name``."""
    return f"{user_key(user_id)}:{name}"


@asynccontextmanager
async def open_files(home: Path) -> AsyncIterator[Files]:
    """Open the data folder ``home``, which is made if need be (mode 0700).

    Raises:
        DataError: the folder or a database in it cannot be used.
    """
    async with AsyncExitStack() as stack:
        with _folder_errors(home), storage_errors():
            make_private(home)
            store = AsyncSqliteStore(
                await stack.enter_async_context(_database(home / "memory.sqlite"))
            )
            await store.setup()
            saver = AsyncSqliteSaver(
                await stack.enter_async_context(_database(home / "checkpoints.sqlite"))
            )
            await saver.setup()
        yield Files(home, store, saver)


@contextmanager
def _folder_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The data folder {home} cannot be used ({error.strerror}): "
            "mend that, or set PERSONAAGENT_HOME to another one."
        ) from error


@asynccontextmanager
async def _database(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """The database, shared with other processes; what is deleted is overwritten with zeros."""
    await asyncio.to_thread(path.touch, 0o600)
    opening = asyncio.ensure_future(aiosqlite.connect(path, isolation_level=None))
    try:
        connection = await asyncio.shield(opening)  # broken off, its thread would outlive the loop
        for pragma in (
            "busy_timeout=10000",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "secure_delete=ON",
        ):
            await connection.execute(f"PRAGMA {pragma}")
        yield connection
    finally:
        await (await opening).close()
