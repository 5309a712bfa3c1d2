"""Rename, once, what version 0.1 wrote into the checkpoints of alignments.

LangGraph stores a state by the names of its channels, and the argument of a ``Send`` by its keys. If a
name changes, the value under the old name is lost, and a run that was killed or that waits for
approval cannot continue. No other graph of ours ever had channels of these names.

Stop version 0.1 before you start this version on the same data: what 0.1 writes afterwards keeps the
old names.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiosqlite
from langgraph.types import Send

from personaagent.memory.sqlite_transaction import sqlite_transaction
from personaagent.memory.strict_checkpoints import strict_serializer

if TYPE_CHECKING:
    from psycopg import AsyncConnection  # pyright: ignore[reportMissingImports]

RENAMED_CHANNELS = {
    "initial": "initial_rules",
    "taken": "accepted_history",
    "idle": "stale_rounds",
    "seen": "earlier_batches",
    "scenes": "episode_contexts",
    "proving": "gate_usage",
}
"""Channels of the state of an alignment: the name in version 0.1, and the name now."""
RENAMED_BRANCH_KEYS = {"scene": "episode_context", "proving": "held_out"}
"""Keys of what ``sample`` sends to each branch of ``simulate``, likewise."""
SENDS = "__pregel_tasks"
"""LangGraph's channel for ``Send``."""
VERSION = 1
"""Version of the names in a database of checkpoints; without a mark it is 0."""

_serde = strict_serializer()


async def migrate_sqlite(connection: aiosqlite.Connection) -> None:
    """Rename in the checkpoints of a data folder, in one transaction, unless that has been done.

    Args:
        connection: in autocommit (``isolation_level=None``), not used by anything else meanwhile.
    """
    if await _sqlite_version(connection) >= VERSION:
        return
    async with sqlite_transaction(connection, "BEGIN IMMEDIATE"):
        if await _sqlite_version(connection) < VERSION:  # another process may have been faster
            await _rename_in_sqlite(connection)
            await connection.execute(f"PRAGMA user_version={VERSION}")


async def migrate_postgres(connection_string: str) -> None:
    """Rename in the checkpoints of a server's database, in one transaction, unless that has been done.

    Of several servers that start at once, one renames and the others wait.
    """
    import psycopg  # pyright: ignore[reportMissingImports]

    async with await psycopg.AsyncConnection.connect(connection_string) as connection:
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('personaagent_checkpoints', 0))"
        )
        if await _postgres_version(connection) >= VERSION:
            return
        tables = await connection.execute("SELECT to_regclass('checkpoint_writes') IS NOT NULL")
        if await tables.fetchone() == (True,):
            await _rename_in_postgres(connection)
        await connection.execute("DELETE FROM personaagent_checkpoints")
        await connection.execute(
            "INSERT INTO personaagent_checkpoints (version) VALUES (%s)", (VERSION,)
        )


async def _sqlite_version(connection: aiosqlite.Connection) -> int:
    [[version]] = await connection.execute_fetchall("PRAGMA user_version")
    return int(version)


async def _rename_in_sqlite(connection: aiosqlite.Connection) -> None:
    tables = await connection.execute_fetchall(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('checkpoints', 'writes')"
    )
    if len([*tables]) < 2:
        return  # nothing was ever written
    await connection.executemany(
        "UPDATE writes SET channel = ? WHERE channel = ?",
        [(new, old) for old, new in RENAMED_CHANNELS.items()],
    )
    for row, type_, stored in await connection.execute_fetchall(
        "SELECT rowid, type, value FROM writes WHERE channel = ?", (SENDS,)
    ):
        await connection.execute(
            "UPDATE writes SET type = ?, value = ? WHERE rowid = ?",
            (*_rename_stored_sends(type_, stored), row),
        )
    for (row,) in await connection.execute_fetchall("SELECT rowid FROM checkpoints"):
        [[type_, stored]] = await connection.execute_fetchall(
            "SELECT type, checkpoint FROM checkpoints WHERE rowid = ?", (row,)
        )
        checkpoint = _serde.loads_typed((type_, stored))
        if RENAMED_CHANNELS.keys().isdisjoint(checkpoint["channel_versions"]):
            continue  # a conversation, or a run that has not begun
        await connection.execute(
            "UPDATE checkpoints SET type = ?, checkpoint = ? WHERE rowid = ?",
            (*_serde.dumps_typed(_rename_checkpoint(checkpoint)), row),
        )


def _rename_checkpoint(checkpoint: dict[str, Any]) -> dict[str, Any]:
    values = _rename_keys(checkpoint["channel_values"], RENAMED_CHANNELS)
    if SENDS in values:
        values[SENDS] = _rename_sends(values[SENDS])
    renamed: dict[str, Any] = {
        "channel_values": values,
        "channel_versions": _rename_keys(checkpoint["channel_versions"], RENAMED_CHANNELS),
        "versions_seen": {
            node: _rename_keys(versions, RENAMED_CHANNELS)
            for node, versions in checkpoint["versions_seen"].items()
        },
    }
    if updated := checkpoint.get("updated_channels"):
        renamed["updated_channels"] = sorted(
            str(RENAMED_CHANNELS.get(name, name)) for name in updated
        )
    return checkpoint | renamed


def _rename_keys(mapping: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in mapping.items()}


def _rename_stored_sends(type_: str, stored: bytes) -> tuple[str, bytes]:
    return _serde.dumps_typed(_rename_sends(_serde.loads_typed((type_, stored))))


def _rename_sends(sends: Any) -> Any:
    """The same ``Send``, or list of them, with the branches' new keys."""
    if isinstance(sends, list):
        return [_rename_sends(send) for send in sends]
    if isinstance(sends, Send) and sends.node == "simulate":
        return Send(sends.node, _rename_keys(sends.arg, RENAMED_BRANCH_KEYS))
    return sends


async def _postgres_version(connection: "AsyncConnection[Any]") -> int:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS personaagent_checkpoints (version integer NOT NULL)"
    )
    rows = await connection.execute("SELECT max(version) FROM personaagent_checkpoints")
    row = await rows.fetchone()
    return int(row[0]) if row and row[0] is not None else 0


async def _rename_in_postgres(connection: "AsyncConnection[Any]") -> None:
    names = json.dumps(RENAMED_CHANNELS)
    for statement in _POSTGRES_STATEMENTS:
        await connection.execute(statement, {"names": names})
    for table in ("checkpoint_writes", "checkpoint_blobs"):
        rows = await connection.execute(
            f"SELECT ctid, type, blob FROM {table} "  # noqa: S608  # names of LangGraph's tables
            "WHERE channel = %s AND type <> 'empty' FOR UPDATE",
            (SENDS,),
        )
        for row, type_, blob in await rows.fetchall():
            await connection.execute(
                f"UPDATE {table} SET type = %s, blob = %s WHERE ctid = %s",  # noqa: S608
                (*_rename_stored_sends(type_, bytes(blob)), row),
            )


def _renamed_object(expression: str) -> str:
    renamed = "jsonb_object_agg(coalesce(%(names)s::jsonb ->> key, key), value)"
    return f"(SELECT coalesce({renamed}, '{{}}') FROM jsonb_each({expression}))"  # noqa: S608


# LangGraph keeps the value of a channel in the checkpoint if it is a text or a number, else in a blob
# by the channel's name and version.
_POSTGRES_STATEMENTS = (
    "UPDATE checkpoint_writes SET channel = %(names)s::jsonb ->> channel "
    "WHERE %(names)s::jsonb ? channel",
    "UPDATE checkpoint_blobs SET channel = %(names)s::jsonb ->> channel "
    "WHERE %(names)s::jsonb ? channel",
    f"""
    UPDATE checkpoints SET checkpoint = checkpoint || jsonb_build_object(
        'channel_values', {_renamed_object("checkpoint -> 'channel_values'")},
        'versions_seen', (
            SELECT coalesce(
                jsonb_object_agg(node.key, {_renamed_object("node.value")}), '{{}}'
            )
            FROM jsonb_each(checkpoint -> 'versions_seen') AS node
        ),
        'updated_channels', (
            SELECT CASE
                WHEN jsonb_typeof(checkpoint -> 'updated_channels') = 'array' THEN (
                    SELECT coalesce(jsonb_agg(coalesce(%(names)s::jsonb ->> name, name)), '[]')
                    FROM jsonb_array_elements_text(checkpoint -> 'updated_channels') AS name
                )
                ELSE checkpoint -> 'updated_channels'
            END
        ),
        'channel_versions', {_renamed_object("checkpoint -> 'channel_versions'")}
    )
    WHERE checkpoint -> 'channel_versions' ?|
        ARRAY(SELECT jsonb_object_keys(%(names)s::jsonb))
    """,  # noqa: S608
)
