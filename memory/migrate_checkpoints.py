"""Once: checkpoints of alignments that version 0.1 wrote get the names that its state has now.

LangGraph keeps a state by the names of its channels. Where one is renamed, what stands under the old
name would be lost, and a run that was killed, or that waits for its user, could not go on. No other
graph of ours has had a channel of these names. Whoever ran version 0.1 on the same database has to
have stopped: what it wrote afterwards would keep the old names.
"""

import json
from typing import Any

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

RENAMED = {
    "initial": "initial_rules",
    "taken": "accepted_history",
    "idle": "stale_rounds",
    "seen": "earlier_batches",
    "proving": "gate_usage",
}
"""Channels of the state of an alignment: what version 0.1 called them, and what they are called."""
VERSION = 1
"""Of the names in a database of checkpoints; one that does not say has version 0."""


async def migrate_sqlite(connection: aiosqlite.Connection) -> None:
    """Rename the channels in the checkpoints of a data folder, all or none, if that is to be done.

    Args:
        connection: in autocommit (``isolation_level=None``), and nothing else goes on on it.
    """
    if await _version_of(connection) >= VERSION:
        return
    await connection.execute("BEGIN IMMEDIATE")
    try:
        if await _version_of(connection) < VERSION:  # another process may have been faster
            await _rename_in_sqlite(connection)
            await connection.execute(f"PRAGMA user_version={VERSION}")
        await connection.execute("COMMIT")
    except BaseException:
        await connection.execute("ROLLBACK")
        raise


async def _version_of(connection: aiosqlite.Connection) -> int:
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
        [(new, old) for old, new in RENAMED.items()],
    )
    serde = JsonPlusSerializer()
    rows = await connection.execute_fetchall("SELECT rowid FROM checkpoints")
    for (row,) in rows:
        [[type_, stored]] = await connection.execute_fetchall(
            "SELECT type, checkpoint FROM checkpoints WHERE rowid = ?", (row,)
        )
        checkpoint = serde.loads_typed((type_, stored))
        if RENAMED.keys().isdisjoint(checkpoint["channel_versions"]):
            continue  # of a conversation, or of a run that has not begun
        await connection.execute(
            "UPDATE checkpoints SET type = ?, checkpoint = ? WHERE rowid = ?",
            (*serde.dumps_typed(_renamed(checkpoint)), row),
        )


def _renamed(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The checkpoint with the new names wherever it names channels."""
    changed: dict[str, Any] = {
        "channel_values": _with_new_keys(checkpoint["channel_values"]),
        "channel_versions": _with_new_keys(checkpoint["channel_versions"]),
        "versions_seen": {
            node: _with_new_keys(seen) for node, seen in checkpoint["versions_seen"].items()
        },
    }
    if updated := checkpoint.get("updated_channels"):
        changed["updated_channels"] = sorted(RENAMED.get(each, each) for each in updated)
    return checkpoint | changed


def _with_new_keys(by_channel: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED.get(channel, channel): value for channel, value in by_channel.items()}


async def migrate_postgres(connection_string: str) -> None:
    """Rename the channels in the checkpoints of a server's database, all or none, if that is to be
    done; of several servers that begin at once, one does it, and the others wait for that."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(connection_string) as connection:
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('personaagent_checkpoints', 0))"
        )
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS personaagent_checkpoints (version integer NOT NULL)"
        )
        known = await connection.execute("SELECT max(version) FROM personaagent_checkpoints")
        [version] = await known.fetchone()
        if version is not None and version >= VERSION:
            return
        tables = await connection.execute("SELECT to_regclass('checkpoint_writes') IS NOT NULL")
        [written] = await tables.fetchone()
        if written:
            names = json.dumps(RENAMED)
            for statement in _IN_POSTGRES:
                await connection.execute(statement, {"names": names})
        await connection.execute("DELETE FROM personaagent_checkpoints")
        await connection.execute(
            "INSERT INTO personaagent_checkpoints (version) VALUES (%s)", (VERSION,)
        )


def _object_with_new_keys(of: str) -> str:
    renamed = "jsonb_object_agg(coalesce(%(names)s::jsonb ->> key, key), value)"
    return f"(SELECT coalesce({renamed}, '{{}}') FROM jsonb_each({of}))"  # noqa: S608


_IN_POSTGRES = (
    "UPDATE checkpoint_writes SET channel = %(names)s::jsonb ->> channel "
    "WHERE %(names)s::jsonb ? channel",
    "UPDATE checkpoint_blobs SET channel = %(names)s::jsonb ->> channel "
    "WHERE %(names)s::jsonb ? channel",
    f"""
    UPDATE checkpoints SET checkpoint = checkpoint || jsonb_build_object(
        'channel_values', {_object_with_new_keys("checkpoint -> 'channel_values'")},
        'versions_seen', (
            SELECT coalesce(
                jsonb_object_agg(node.key, {_object_with_new_keys("node.value")}), '{{}}'
            )
            FROM jsonb_each(checkpoint -> 'versions_seen') AS node
        ),
        'updated_channels', (
            SELECT CASE
                WHEN jsonb_typeof(checkpoint -> 'updated_channels') = 'array' THEN (
                    SELECT coalesce(jsonb_agg(coalesce(%(names)s::jsonb ->> each, each)), '[]')
                    FROM jsonb_array_elements_text(checkpoint -> 'updated_channels') AS each
                )
                ELSE checkpoint -> 'updated_channels'
            END
        ),
        'channel_versions', {_object_with_new_keys("checkpoint -> 'channel_versions'")}
    )
    WHERE checkpoint -> 'channel_versions' ?|
        ARRAY(SELECT jsonb_object_keys(%(names)s::jsonb))
    """,  # noqa: S608
)
"""Each table of LangGraph's that names channels. A channel of one value in letters or numbers stands
in its checkpoint, any other one in a blob by its name and version."""
