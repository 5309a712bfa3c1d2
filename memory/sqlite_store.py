"""The store in the data folder: LangGraph's, with the index of the episodes in the same database."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiosqlite
from langgraph.store.base import Op, PutOp
from langgraph.store.base import Result as OpResult
from langgraph.store.sqlite import AsyncSqliteStore

from personaagent.memory.generation import Guard
from personaagent.memory.index import rows
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.sqlite_transaction import sqlite_transaction

Result = TypeVar("Result")


class SqliteStore(AsyncSqliteStore):
    """A store whose writes are done together or not at all, also beside other processes.

    LangGraph's own commits what an error left half done. It also begins to write in a transaction that
    has read, which SQLite refuses at once if another process has written in between.

    Args:
        connection: in autocommit (``isolation_level=None``).
        index: the index in the same database.
    """

    def __init__(self, connection: aiosqlite.Connection, index: SqliteIndex) -> None:
        super().__init__(connection)
        self.episode_index = index

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

    async def write(
        self, puts: Sequence[PutOp], statements: Sequence[rows.Statement], guard: Guard
    ) -> str:
        """Do these writes and then these statements in one transaction, or none of them; returns the
        generation that they belong to.

        Raises:
            Forgotten: the guard does not hold.
        """
        async with self._cursor(writes=True) as cursor:

            async def read(
                path: tuple[str, ...], keys: Collection[str]
            ) -> dict[str, dict[str, Any]]:
                return await _values(cursor, path, keys)

            generation, more = await guard.check(read)
            await self._do(cursor, [*more, *puts])
            for sql, values in statements:
                await cursor.executemany(sql, values)
        return generation

    async def delete_prefix(self, prefix: str, kept: Sequence[str]) -> None:
        """Delete what stands under a prefix that ends with a dot, but for the ``kept`` namespaces."""
        marks = ", ".join("?" * len(kept))
        sql = f"DELETE FROM store WHERE prefix > ? AND prefix < ? AND prefix NOT IN ({marks})"  # noqa: S608  # marks
        async with self._cursor(writes=True) as cursor:
            await cursor.execute(sql, (prefix, f"{prefix[:-1]}/", *kept))

    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        ops = [*ops]
        puts = [op for op in ops if isinstance(op, PutOp)]
        if not puts:
            return await super().abatch(ops)
        reads = [op for op in ops if not isinstance(op, PutOp)]
        results = iter(await super().abatch(reads) if reads else [])
        async with self._cursor(writes=True) as cursor:
            await self._do(cursor, puts)
        return [None if isinstance(op, PutOp) else next(results) for op in ops]

    async def _do(self, cursor: aiosqlite.Cursor, puts: Sequence[PutOp]) -> None:
        if puts:
            await self._batch_put_ops([*enumerate(puts)], cursor)

    async def change(
        self,
        path: tuple[str, ...],
        key: str,
        change: Callable[[dict[str, Any] | None], tuple[dict[str, Any] | None, Result]],
    ) -> Result:
        """Read a value, and write what ``change`` makes of it, in one transaction: see ``change_value``."""
        async with self._cursor(writes=True) as cursor:
            await cursor.execute(
                "SELECT value FROM store WHERE prefix = ? AND key = ?", (".".join(path), key)
            )
            row = await cursor.fetchone()
            value, result = change(None if row is None else json.loads(row[0]))
            if value is not None:
                await self._batch_put_ops([(0, PutOp(path, key, value, index=False))], cursor)
            return result

    @asynccontextmanager
    async def _cursor(
        self, *, transaction: bool = True, writes: bool = False
    ) -> AsyncIterator[aiosqlite.Cursor]:
        if not self.is_setup:
            await self.setup()
        async with self.lock, self.conn.cursor() as cursor:
            if not transaction:
                yield cursor
                return
            async with sqlite_transaction(self.conn, "BEGIN IMMEDIATE" if writes else "BEGIN"):
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


async def _values(
    cursor: aiosqlite.Cursor, path: tuple[str, ...], keys: Collection[str]
) -> dict[str, dict[str, Any]]:
    marks = ", ".join("?" * len(keys))
    sql = f"SELECT key, value FROM store WHERE prefix = ? AND key IN ({marks})"  # noqa: S608  # marks
    await cursor.execute(sql, (".".join(path), *keys))
    return {key: json.loads(value) for key, value in await cursor.fetchall()}
