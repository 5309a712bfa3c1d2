"""A transaction in SQLite that is whole or not at all, also for whoever is cancelled in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosqlite


@asynccontextmanager
async def sqlite_transaction(connection: aiosqlite.Connection, begin: str) -> AsyncIterator[None]:
    """Commit what the block writes, or roll it back if it raises.

    Args:
        connection: in autocommit (``isolation_level=None``), not used by anything else meanwhile.
        begin: ``BEGIN`` or ``BEGIN IMMEDIATE``.
    """
    try:
        await connection.execute(begin)
        yield
        await connection.execute("COMMIT")
    except BaseException:  # if cancelled, ``begin`` may yet be under way: this comes after it
        await asyncio.shield(connection.rollback())
        raise
