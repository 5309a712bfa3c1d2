"""Writes to a store that hold a guard: checked and done in one transaction, in SQLite and Postgres."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langgraph.store.base import BaseStore, PutOp

from personaagent.memory.generation import Guard
from personaagent.memory.index import rows
from personaagent.memory.locks import database_of
from personaagent.memory.sqlite_store import SqliteStore

SHARED = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 1))"
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))"
VALUES = """
    SELECT prefix, key, value FROM store
    JOIN unnest(%s::text[], %s::text[]) AS asked (prefix, key) USING (prefix, key)
"""
DELETE_USER = "DELETE FROM store WHERE starts_with(prefix, %s) AND prefix <> ALL(%s)"
PAGE = 1000


async def write_guarded(
    store: BaseStore,
    guard: Guard,
    puts: Sequence[PutOp],
    statements: Sequence[rows.Statement] = (),
) -> str:
    """Do these writes if the guard holds; all or none. Returns the generation they belong to.

    Args:
        store: of any kind. In one that is neither SQLite nor Postgres nothing comes between the
            check and the writes as long as it does not wait in between, as in memory.
        guard: is checked in the same transaction.
        puts: what to write to the store.
        statements: what to do besides in a ``SqliteStore``.

    Raises:
        Forgotten, Outdated: the guard does not hold; nothing was written.
    """
    if isinstance(store, SqliteStore):
        return await store.write(puts, statements, guard)
    assert not statements
    if database_of(store):
        return await _write_to_postgres(store, guard, puts)
    items = [await store.aget(guard.path(namespace), key) for namespace, key in guard.places]
    found = zip(guard.places, items, strict=True)
    generation, more = guard.check({place: item.value for place, item in found if item is not None})
    await store.abatch([*more, *puts])
    return generation


async def delete_user(store: BaseStore, user: str, keep: Collection[str]) -> None:
    """Delete all that the store has of the user of this key, but the namespaces to ``keep``, at once.

    No write comes between: it is before this and goes with the rest, or it comes after.
    """
    prefix = f"users.{user}."
    kept = [f"{prefix}{namespace}" for namespace in keep]
    if isinstance(store, SqliteStore):
        await store.delete_prefix(prefix, kept)
    elif database_of(store):
        async with _transaction(store, ALONE, user) as cursor:
            await cursor.execute(DELETE_USER, [prefix, kept])
    else:
        await _delete_one_by_one(store, user, keep)


async def _write_to_postgres(store: Any, guard: Guard, puts: Sequence[PutOp]) -> str:
    async with _transaction(store, ALONE if guard.renews else SHARED, guard.user) as cursor:
        prefixes = {".".join(guard.path(namespace)): namespace for namespace, _ in guard.places}
        asked = [(".".join(guard.path(namespace)), key) for namespace, key in guard.places]
        await cursor.execute(VALUES, [[*each] for each in zip(*asked, strict=True)])
        rows = await cursor.fetchall()
        found = {(prefixes[row["prefix"]], row["key"]): row["value"] for row in rows}
        generation, more = guard.check(found)
        await store._batch_put_ops([*enumerate([*more, *puts])], cursor)
    return generation


@asynccontextmanager
async def _transaction(store: Any, lock: str, user: str) -> AsyncIterator[Any]:
    """A cursor in a transaction of its own, which holds this lock of the user until it ends.

    Writers share the lock, and whoever ends a generation holds it alone: a row alone would not do,
    since where there is none, there is nothing to lock.
    """
    async with store._cursor() as cursor, cursor.connection.transaction():
        await cursor.execute(lock, [user])
        yield cursor


async def _delete_one_by_one(store: BaseStore, user: str, keep: Collection[str]) -> None:
    for namespace in await store.alist_namespaces(prefix=("users", user)):
        if namespace[2] in keep:
            continue
        while items := await store.asearch(namespace, limit=PAGE):
            await store.abatch([PutOp(namespace, item.key, None) for item in items])
