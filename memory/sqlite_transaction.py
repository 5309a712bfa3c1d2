"""A transaction in SQLite that is whole or not at all, also for whoever is cancelled in it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiosqlite

Result = TypeVar("Result")


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


async def in_transaction(
    connection: aiosqlite.Connection, begin: str, work: Callable[[sqlite3.Cursor], Result]
) -> Result:
    """Do ``work`` in a transaction; if it raises, nothing of it is written.

    All of it is one trip to the thread of the connection, where the other calls come before it or
    after it. Whoever is cancelled does not stop it.

    Args:
        connection: as of ``sqlite_transaction``.
        begin: ``BEGIN`` or ``BEGIN IMMEDIATE``.
        work: runs in the thread of the connection.
    """
    execute: Any = connection._execute  # aiosqlite gives it no types
    result: Result = await execute(_do_in_transaction, connection, begin, work)
    return result


def _do_in_transaction(
    connection: aiosqlite.Connection, begin: str, work: Callable[[sqlite3.Cursor], Result]
) -> Result:
    own = connection._conn
    try:
        own.execute(begin)
        result = work(own.cursor())
        own.execute("COMMIT")
    except BaseException:
        own.rollback()
        raise
    return result
