"""The SQLite databases in the user's data folder: one for memory, one for checkpoints."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.errors import Conflict, DataError
from personaagent.core.files import make_private
from personaagent.core.users import user_key
from personaagent.memory.erasing import Eraser
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.migrate_checkpoints import migrate_sqlite
from personaagent.memory.sqlite_store import SqliteStore
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.strict_checkpoints import strict_serializer

NAMESPACES_A_PAGE = 1000
MEMORY, CHECKPOINTS = "memory.sqlite", "checkpoints.sqlite"
FORMER_INDEXES = ("index", "server-index")
"""Folders of the index of version 0.1, which this one builds anew from the episodes."""
DELETE_TURN = """
    DELETE FROM checkpoints
    WHERE thread_id = :thread AND json_extract(CAST(metadata AS TEXT), '$.turn') = :turn
"""
DELETE_WRITES_OF_TURN = """
    DELETE FROM writes WHERE thread_id = :thread AND checkpoint_id IN (
        SELECT checkpoint_id FROM checkpoints
        WHERE thread_id = :thread AND json_extract(CAST(metadata AS TEXT), '$.turn') = :turn
    )
"""

_erasers: WeakValueDictionary[tuple[int, Path], Eraser] = WeakValueDictionary()
"""One for each event loop and folder, as long as somebody waits for it."""

Saver = TypeVar("Saver", bound=AsyncSqliteSaver)


@dataclass(frozen=True)
class Files:
    """The open databases of the data folder ``home``."""

    home: Path
    store: SqliteStore
    saver: AsyncSqliteSaver

    async def threads(self, user_id: str) -> list[str]:
        """Every thread of the user: their conversations, even unfinished ones, and their alignment."""
        first, last = conversation_thread(user_id, ""), f"{user_key(user_id)};"
        alignment = alignment_thread(user_id)
        with storage_errors():
            rows = await self.saver.conn.execute_fetchall(
                "SELECT thread_id FROM (SELECT thread_id FROM checkpoints UNION "
                "SELECT thread_id FROM writes) "
                "WHERE thread_id >= ? AND thread_id < ? OR thread_id = ?",
                (first, last, alignment),
            )
        return [thread for (thread,) in rows]

    async def delete_threads(self, threads: Collection[str]) -> None:
        """Delete the checkpoints of these threads."""
        with storage_errors():
            for thread in threads:
                await self.saver.adelete_thread(thread)

    async def delete_turn(self, thread: str, turn: str) -> None:
        """Delete what a turn has left in its thread, which its checkpoints name in their metadata."""
        with storage_errors():
            async with self.saver.lock:
                for statement in (DELETE_WRITES_OF_TURN, DELETE_TURN):
                    await self.saver.conn.execute(statement, {"thread": thread, "turn": turn})

    async def erase_deleted(self, *, pack: bool = False) -> None:
        """Erase deleted rows from the files themselves.

        SQLite overwrites a deleted row with zeros, but the write-ahead log still holds it until it is
        emptied. Copies of rows that SQLite once moved (of 2 in 100 rows) stay in unused parts of pages
        until the file is packed. That takes about a second for 100 MB, and as much free disk, so a large
        file is packed only on request (``pack``).
        """
        key = (id(asyncio.get_running_loop()), self.home)
        eraser = _erasers.setdefault(key, Eraser())
        await eraser.erase([self.home / name for name in (MEMORY, CHECKPOINTS)], pack=pack)

    async def users_with_new_labels(self) -> list[str]:
        """The users with labels that alignment has not seen, sorted; for the operator.

        This is the one place that looks beyond a single user. The folder keeps users under a hash,
        so it reads each name from one of their episodes, and nothing else.
        """
        keys: list[str] = []
        with storage_errors():
            while page := await self.store.alist_namespaces(
                prefix=("users", "*", "unaligned"), limit=NAMESPACES_A_PAGE, offset=len(keys)
            ):
                keys += [key for _, key, _ in page]
            pages = [await self.store.asearch(("users", key, "episodes"), limit=1) for key in keys]
        return sorted(item.value["episode"]["user_id"] for items in pages for item in items)

    @contextmanager
    def exclusive(
        self, user_id: str, *, remove_lock: bool = False, patience: float = 0
    ) -> Iterator[None]:
        """Keep out other alignments of the user, in any process, while the block runs.

        Args:
            user_id: whose persona or memory changes.
            remove_lock: delete the lock file at the end, since its name shows that the user existed.
            patience: seconds to wait for an alignment that is about to end.

        Raises:
            Conflict: an alignment of the user, or a forgetting, is running.
        """
        from filelock import FileLock, Timeout  # its import probes the file system

        path = self.home / "locks" / f"{user_key(user_id)[:32]}.align.lock"
        make_private(path.parent)
        lock = FileLock(path, timeout=patience, thread_local=False)
        try:
            lock.acquire()
        except Timeout as timeout:
            raise Conflict(
                f"The persona of '{user_id}' is being aligned by another process, or something is "
                "being forgotten: wait until that has ended, and try again."
            ) from timeout
        try:
            yield
            if remove_lock:
                path.unlink(missing_ok=True)
        finally:
            lock.release()


def conversation_thread(user_id: str, name: str) -> str:
    """The thread id of the conversation that the user calls ``name``."""
    return f"{user_key(user_id)}:{name}"


@asynccontextmanager
async def open_files(home: Path) -> AsyncIterator[Files]:
    """Open the data folder ``home``; it is made if need be (mode 0700).

    Raises:
        DataError: the folder or a database in it cannot be used.
    """
    async with open_store(home) as store, open_saver(home, AsyncSqliteSaver) as saver:
        yield Files(home, store, saver)


@asynccontextmanager
async def open_store(home: Path) -> AsyncIterator[SqliteStore]:
    """Open the memory in the data folder alone; errors as of ``open_files``."""
    async with AsyncExitStack() as stack:
        with _folder_errors(home), storage_errors():
            make_private(home)
            file = home / MEMORY
            index = SqliteIndex(file)
            stack.push_async_callback(index.aclose)
            store = SqliteStore(await stack.enter_async_context(_database(file)), index)
            stack.push_async_callback(store.aclose)
            await store.setup()
            for folder in FORMER_INDEXES:
                await asyncio.to_thread(shutil.rmtree, home / folder, ignore_errors=True)
        yield store


@asynccontextmanager
async def open_saver(
    home: Path, make_saver: Callable[[aiosqlite.Connection], Saver]
) -> AsyncIterator[Saver]:
    """Open the checkpoints in the data folder alone; errors as of ``open_files``.

    Args:
        make_saver: the class of the checkpointer.
    """
    async with AsyncExitStack() as stack:
        with _folder_errors(home), storage_errors():
            make_private(home)
            saver = make_saver(await stack.enter_async_context(_database(home / CHECKPOINTS)))
            saver.serde = strict_serializer()
            await saver.setup()
            await migrate_sqlite(saver.conn)
        yield saver


@contextmanager
def _folder_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The data folder {home} cannot be used ({error.strerror}): "
            "fix that, or set PERSONAAGENT_HOME to another folder."
        ) from error


@asynccontextmanager
async def _database(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """The database, shared with other processes; SQLite overwrites deleted content with zeros."""
    await asyncio.to_thread(path.touch, 0o600)
    opening = asyncio.ensure_future(aiosqlite.connect(path, isolation_level=None))
    try:
        connection = await asyncio.shield(
            opening
        )  # if cancelled, its thread would outlive the loop
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
