"""The store in the data folder: LangGraph's, with the index of the episodes in the same database."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiosqlite
from langgraph.store.base import Op, PutOp, Result
from langgraph.store.sqlite import AsyncSqliteStore

from personaagent.memory.generation import Guard
from personaagent.memory.index import rows
from personaagent.memory.index.sqlite import SqliteIndex


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

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
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
            await cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            try:
                yield cursor
                await cursor.execute("COMMIT")
            finally:
                if self.conn.in_transaction:
                    await asyncio.shield(self.conn.rollback())


async def _values(
    cursor: aiosqlite.Cursor, path: tuple[str, ...], keys: Collection[str]
) -> dict[str, dict[str, Any]]:
    marks = ", ".join("?" * len(keys))
    sql = f"SELECT key, value FROM store WHERE prefix = ? AND key IN ({marks})"  # noqa: S608  # marks
    await cursor.execute(sql, (".".join(path), *keys))
    return {key: json.loads(value) for key, value in await cursor.fetchall()}
