"""The store in the data folder: LangGraph's, with the index of the episodes in the same database."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiosqlite
from langgraph.store.base import Op, PutOp
from langgraph.store.base import Result as OpResult
from langgraph.store.sqlite import AsyncSqliteStore

from personaagent.memory.generation import Guard, Place
from personaagent.memory.index import rows
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.sqlite_reads import BatchReader
from personaagent.memory.sqlite_transaction import in_transaction, sqlite_transaction
from personaagent.memory.sqlite_values import Path, read_rows, read_values

Result = TypeVar("Result")


class SqliteStore(AsyncSqliteStore):
    """A store whose writes are done together or not at all, also beside other processes.

    LangGraph's own commits what an error left half done. It also begins to write in a transaction that
    has read, which SQLite refuses at once if another process has written in between. And each of its
    statements is a trip to the thread of the connection; here a whole transaction is one, which
    nobody who is cancelled can cut short.

    Args:
        connection: in autocommit (``isolation_level=None``).
        index: the index in the same database.
    """

    def __init__(self, connection: aiosqlite.Connection, index: SqliteIndex) -> None:
        super().__init__(connection)
        self.episode_index = index
        self._reader = BatchReader()

    async def setup(self) -> None:
        """Make the tables, all or none; LangGraph's own way breaks a database if it is cut short."""
        async with self.lock:
            if await self._next_migration() < len(self.MIGRATIONS):
                async with sqlite_transaction(self.conn, "BEGIN IMMEDIATE"):
                    await self._migrate()
        await super().setup()
        async with self.lock:
            for statement in (*rows.TABLES, rows.EPISODE_TRIGGER):
                await self.conn.execute(statement)

    async def aclose(self) -> None:
        """End the task that LangGraph reads single operations with; left to the garbage collector, it is
        destroyed while it is pending, which asyncio reports as an error."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def write(
        self, puts: Sequence[PutOp], statements: Sequence[rows.Statement], guard: Guard
    ) -> str:
        """Do these writes and then these statements in one transaction, or none of them; returns the
        generation that they belong to.

        Raises:
            Forgotten, Outdated: the guard does not hold.
        """

        def work(cursor: sqlite3.Cursor) -> str:
            paths = [(guard.path(namespace), key) for namespace, key in guard.places]
            values = read_values(cursor, paths)
            found: dict[Place, dict[str, Any]] = {
                place: values[path]
                for place, path in zip(guard.places, paths, strict=True)
                if path in values
            }
            generation, more = guard.check(found)
            self._put(cursor, [*more, *puts])
            for sql, parameters in statements:
                cursor.executemany(sql, parameters)
            return generation

        return await self._in_transaction("BEGIN IMMEDIATE", work)

    async def read(
        self, places: Sequence[tuple[Path, str]], scans: Mapping[Path, int]
    ) -> tuple[dict[tuple[Path, str], dict[str, Any]], dict[Path, list[tuple[str, Any]]]]:
        """Read these values, and up to so many keys and values of these namespaces, at one moment."""
        return await self._in_transaction(
            "BEGIN",
            lambda cursor: (
                read_values(cursor, places),
                {path: read_rows(cursor, path, limit) for path, limit in scans.items()},
            ),
        )

    async def delete_prefix(self, prefix: str, kept: Sequence[str]) -> None:
        """Delete what stands under a prefix that ends with a dot, but for the ``kept`` namespaces."""
        marks = ", ".join("?" * len(kept))
        sql = f"DELETE FROM store WHERE prefix > ? AND prefix < ? AND prefix NOT IN ({marks})"  # noqa: S608  # marks
        values = (prefix, f"{prefix[:-1]}/", *kept)
        await self._in_transaction("BEGIN IMMEDIATE", lambda cursor: cursor.execute(sql, values))

    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        ops = [*ops]
        puts = [op for op in ops if isinstance(op, PutOp)]
        reads = [op for op in ops if not isinstance(op, PutOp)]
        results = iter(
            await self._in_transaction("BEGIN", lambda cursor: self._reader.read(cursor, reads))
            if reads
            else []
        )
        if puts:
            await self._in_transaction("BEGIN IMMEDIATE", lambda cursor: self._put(cursor, puts))
        return [None if isinstance(op, PutOp) else next(results) for op in ops]

    async def change(
        self,
        path: Path,
        key: str,
        change: Callable[[dict[str, Any] | None], tuple[dict[str, Any] | None, Result]],
    ) -> Result:
        """Read a value, and write what ``change`` makes of it, in one transaction: see ``change_value``."""

        def work(cursor: sqlite3.Cursor) -> Result:
            value, result = change(read_values(cursor, [(path, key)]).get((path, key)))
            if value is not None:
                self._put(cursor, [PutOp(path, key, value, index=False)])
            return result

        return await self._in_transaction("BEGIN IMMEDIATE", work)

    def _put(self, cursor: sqlite3.Cursor, puts: Sequence[PutOp]) -> None:
        if puts:
            queries, _ = self._prepare_batch_PUT_queries([*enumerate(puts)])
            for sql, parameters in queries:
                cursor.execute(sql, tuple(parameters))

    async def _in_transaction(self, begin: str, work: Callable[[sqlite3.Cursor], Result]) -> Result:
        """Do ``work`` in a transaction, in the thread of the connection."""
        if not self.is_setup:
            await self.setup()
        async with self.lock:
            return await in_transaction(self.conn, begin, work)

    @asynccontextmanager
    async def _cursor(self, *, transaction: bool = True) -> AsyncIterator[aiosqlite.Cursor]:
        """What LangGraph's own methods work with."""
        if not self.is_setup:
            await self.setup()
        async with self.lock, self.conn.cursor() as cursor:
            if not transaction:
                yield cursor
                return
            async with sqlite_transaction(self.conn, "BEGIN"):
                yield cursor

    async def _next_migration(self) -> int:
        """The first of LangGraph's migrations that the database has not seen."""
        await self.conn.execute(
            "CREATE TABLE IF NOT EXISTS store_migrations (v INTEGER PRIMARY KEY)"
        )
        [[last]] = await self.conn.execute_fetchall("SELECT max(v) FROM store_migrations")
        return 0 if last is None else int(last) + 1

    async def _migrate(self) -> None:
        first = await self._next_migration()  # another process may have been faster
        for number, sql in enumerate(self.MIGRATIONS[first:], start=first):
            try:
                await self.conn.execute(sql)
            except sqlite3.OperationalError as error:  # cut short before it was noted
                if "duplicate column name" not in str(error):
                    raise
            await self.conn.execute("INSERT INTO store_migrations (v) VALUES (?)", (number,))
