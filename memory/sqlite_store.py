"""The store in the data folder: LangGraph's, with the index of the episodes in the same database."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiosqlite
from langgraph.store.base import Op, PutOp
from langgraph.store.base import Result as OpResult
from langgraph.store.sqlite import AsyncSqliteStore

from personaagent.memory.index import rows
from personaagent.memory.index.sqlite import SqliteIndex

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
        await super().setup()
        async with self.lock:
            for statement in (*rows.TABLES, rows.EPISODE_TRIGGER):
                await self.conn.execute(statement)

    async def write(self, puts: Sequence[PutOp], statements: Sequence[rows.Statement] = ()) -> None:
        """Do these writes and then these statements in one transaction, or none of them."""
        async with self._cursor(writes=True) as cursor:
            if puts:
                await self._batch_put_ops([*enumerate(puts)], cursor)
            for sql, values in statements:
                await cursor.executemany(sql, values)

    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        ops = [*ops]
        puts = [op for op in ops if isinstance(op, PutOp)]
        if not puts:
            return await super().abatch(ops)
        reads = [op for op in ops if not isinstance(op, PutOp)]
        results = iter(await super().abatch(reads) if reads else [])
        await self.write(puts)
        return [None if isinstance(op, PutOp) else next(results) for op in ops]

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
            await cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            try:
                yield cursor
                await cursor.execute("COMMIT")
            finally:
                if self.conn.in_transaction:
                    await asyncio.shield(self.conn.rollback())
