"""The users with labels that alignment has not seen, and enough to learn from.

Memory is kept under ``users.<key>.<namespace>``. One look-up in the index of the table leads from a
user to the next one, however much each of them has; a page of users is one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.store.base import BaseStore

from personaagent.memory.locks import database_of
from personaagent.memory.sqlite_store import SqliteStore
from personaagent.memory.storage_errors import storage_errors
from personaagent.nodes.alignment.draw_sets import LEAST_HELD_OUT

FIRST = "users."
LAST = "users/"
"""The first text after every user: a slash follows a dot."""
KEY_LENGTH = 64
PREFIX_LENGTH = len(FIRST) + KEY_LENGTH
LEAST_LABELS = 1 + LEAST_HELD_OUT
"""One to learn from, and those to prove it on: with fewer, a run ends at once."""
BUCKET_DIGITS = 6
"""Hex digits of a user's key that name a bucket of users: what a night remembers of where it is."""
NEXT_USER = """
    SELECT each.prefix FROM store AS each
    WHERE each.prefix {after} {last} AND each.prefix {before} :end
    ORDER BY each.prefix {order} LIMIT 1
"""
DUE_USERS = """
    WITH RECURSIVE found(prefix) AS (
        SELECT * FROM ({first}) AS beginning
        UNION ALL
        SELECT ({following}) FROM found WHERE found.prefix IS NOT NULL
    )
    SELECT {key}, (
        SELECT {name} FROM store AS episodes
        WHERE episodes.prefix = {user} || '.episodes' LIMIT 1
    )
    FROM found
    WHERE CASE WHEN EXISTS (SELECT 1 FROM store AS news WHERE news.prefix = {user} || '.unaligned')
        THEN (SELECT count(*) FROM (
            SELECT 1 FROM store AS labels
            WHERE labels.prefix = {user} || '.episodes' AND {labelled} IS NOT NULL LIMIT :least
        ) AS enough) = :least
        ELSE false END
    LIMIT :limit
"""
USER = f"substr(found.prefix, 1, {PREFIX_LENGTH})"
KEY = f"substr(found.prefix, {len(FIRST) + 1}, {KEY_LENGTH})"
SQLITE = {
    "after": ">=",
    "before": "<",
    "order": "",
    "labelled": "json_extract(labels.value, '$.episode.ground_truth')",
    "name": "json_extract(episodes.value, '$.episode.user_id')",
}
POSTGRES = {  # whatever its collation, it compares as the index for prefixes does
    "after": "~>=~",
    "before": "~<~",
    "order": "USING ~<~",
    "labelled": "labels.value #>> '{episode,ground_truth}'",
    "name": "episodes.value #>> '{episode,user_id}'",
}


@dataclass(frozen=True)
class DueUser:
    """A user with new labels: their id, and the key that stands for it in the store."""

    id: str
    key: str

    @property
    def bucket(self) -> str:
        """The bucket that the user is in."""
        return self.key[:BUCKET_DIGITS]


async def due_users(
    store: BaseStore, limit: int, *, after: str = "", until: str = ""
) -> list[DueUser]:
    """Up to ``limit`` users with new labels, by their keys; none with too few of all to learn from.

    Args:
        store: the store of all users, in SQLite or in Postgres.
        limit: how many users, at most.
        after: begin after this key, or with this bucket.
        until: end before this bucket; empty: with the last user.
    """
    begin = f"{FIRST}{after}{'/' if len(after) == KEY_LENGTH else ''}"
    end = f"{FIRST}{until}" if until else LAST
    values = {"start": begin, "end": end, "limit": limit, "least": LEAST_LABELS}
    with storage_errors():
        rows = await _rows(store, values)
    return [DueUser(name, key) for key, name in rows if name is not None]


async def _rows(store: BaseStore, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
    if isinstance(store, SqliteStore):
        async with store.lock:
            return [*await store.conn.execute_fetchall(_statement(SQLITE), values)]
    assert database_of(store) is not None, "a store of another kind"
    return await _postgres_rows(store, values)


async def _postgres_rows(store: Any, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    from psycopg.rows import tuple_row  # pyright: ignore[reportMissingImports]  # installed only where the store is a Postgres

    statement = _statement(POSTGRES)
    for name in values:
        statement = statement.replace(f":{name}", f"%({name})s")
    async with store.conn.connection() as connection, connection.cursor() as cursor:
        cursor.row_factory = tuple_row
        await cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = await cursor.fetchall()
        return rows


def _statement(dialect: dict[str, str]) -> str:
    first = NEXT_USER.format(**dialect, last=":start")
    following = NEXT_USER.format(**dialect, last=f"({USER} || '/')")
    return DUE_USERS.format(**dialect, first=first, following=following, user=USER, key=KEY)
