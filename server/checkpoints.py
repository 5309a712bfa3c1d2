"""The checkpoints in the data folder, with what LangGraph's server asks of a checkpointer besides."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

GREGORIAN = datetime(1582, 10, 15, tzinfo=UTC)
"""Where the time of a UUID begins, in ticks of 100 ns."""
COPY_CHECKPOINTS = """
    INSERT INTO checkpoints SELECT :target, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type,
        checkpoint, CAST(json_replace(CAST(metadata AS TEXT), '$.thread_id', :target) AS BLOB)
    FROM checkpoints WHERE thread_id = :source
"""
COPY_WRITES = """
    INSERT INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel,
        type, value)
    SELECT :target, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value
    FROM writes WHERE thread_id = :source
"""
PRUNE = """
    DELETE FROM {table} WHERE thread_id = :thread AND checkpoint_id < (
        SELECT max(checkpoint_id) FROM checkpoints AS latest
        WHERE latest.thread_id = :thread AND latest.checkpoint_ns = {table}.checkpoint_ns
    )
"""
IDLE_THREADS = """
    SELECT thread_id FROM checkpoints GROUP BY thread_id
    HAVING max(checkpoint_id) < ? AND count(*) > 1
"""
DELETE_RUN_WRITES = """
    DELETE FROM writes WHERE (thread_id, checkpoint_ns, checkpoint_id) IN (
        SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints
        WHERE json_extract(CAST(metadata AS TEXT), '$.run_id') = :run
    )
"""
DELETE_RUN = """
    DELETE FROM checkpoints WHERE json_extract(CAST(metadata AS TEXT), '$.run_id') = :run
"""


@dataclass(frozen=True)
class LastCheckpoint:
    """What the last checkpoint of a thread says of itself: its time and metadata."""

    at: datetime
    metadata: dict[str, Any]


class ServerSaver(AsyncSqliteSaver):
    """Checkpoints that can also be copied, pruned, and deleted by run.

    They hold no pickled objects: neither this class nor the command writes or reads any.
    """

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints of a thread."""
        threads = {"source": str(source_thread_id), "target": str(target_thread_id)}
        await self._execute((COPY_CHECKPOINTS, threads), (COPY_WRITES, threads))

    async def adelete_for_runs(self, run_ids: Iterable[str]) -> None:
        """Delete the checkpoints that these runs wrote."""
        for run_id in run_ids:
            run = {"run": str(run_id)}
            await self._execute((DELETE_RUN_WRITES, run), (DELETE_RUN, run))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete the checkpoints of these threads, but with ``keep_latest`` not the latest of each."""
        for thread_id in map(str, thread_ids):
            if strategy == "keep_latest":
                thread = {"thread": thread_id}
                await self._execute(
                    (PRUNE.format(table="writes"), thread),
                    (PRUNE.format(table="checkpoints"), thread),
                )
            else:
                await self.adelete_thread(thread_id)

    async def prune_idle(self, since: datetime) -> None:
        """Keep the latest checkpoints only of threads of a server without any ``since`` then."""
        async with self.lock:
            rows = await self.conn.execute_fetchall(IDLE_THREADS, [_first_id(since)])
        await self.aprune([thread for (thread,) in rows if is_uuid(thread)])

    async def thread_ids(self) -> set[str]:
        """Every thread that has a checkpoint, of the server or of the command."""
        async with self.lock:
            rows = await self.conn.execute_fetchall("SELECT DISTINCT thread_id FROM checkpoints")
        return {thread_id for (thread_id,) in rows}

    async def last_checkpoint(self, thread_id: str) -> LastCheckpoint | None:
        """The last checkpoint of the thread; None if it has none."""
        async with self.lock:
            rows = await self.conn.execute_fetchall(
                "SELECT type, checkpoint, metadata FROM checkpoints "
                "WHERE thread_id = ? AND checkpoint_ns = '' ORDER BY checkpoint_id DESC LIMIT 1",
                (thread_id,),
            )
        for type_, checkpoint, metadata in rows:
            at = datetime.fromisoformat(self.serde.loads_typed((type_, checkpoint))["ts"])
            return LastCheckpoint(at, json.loads(metadata))
        return None

    async def data_version(self) -> int:
        """A number that changes whenever another connection has written checkpoints."""
        async with self.lock:
            [(version,)] = await self.conn.execute_fetchall("PRAGMA data_version")
        return int(version)

    async def _execute(self, *statements: tuple[str, dict[str, str]]) -> None:
        """Execute these statements in one transaction."""
        async with self.lock:
            await self.conn.execute("BEGIN IMMEDIATE")
            try:
                for statement, parameters in statements:
                    await self.conn.execute(statement, parameters)
                await self.conn.execute("COMMIT")
            except BaseException:
                await self.conn.execute("ROLLBACK")
                raise


def is_uuid(thread: str) -> bool:
    """Whether a server may have made this thread: it names threads by a UUID, the command does not."""
    try:
        return str(UUID(thread)) == thread
    except ValueError:
        return False


def _first_id(time: datetime) -> str:
    """The least id of a checkpoint of that time: the beginning of a UUID of version 6."""
    ticks = round((time - GREGORIAN).total_seconds() * 10_000_000)
    return f"{ticks >> 28:08x}-{ticks >> 12 & 0xFFFF:04x}-6{ticks & 0xFFF:03x}"
