"""What LangGraph's development server keeps of threads beside their checkpoints, brought in line.

The server keeps records of threads and runs in memory and writes them to ``.langgraph_api`` every ten
seconds. The checkpoints, in the data folder, are the truth: a server that was killed may have lost
the record of a thread, and the command may have deleted a thread of which a record remains.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException

from personaagent.server.checkpoints import LastCheckpoint, ServerSaver, is_uuid

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
_KEPT_METADATA = ("graph_id", "assistant_id", "owner", "title")

_lock = asyncio.Lock()
"""Held while records are removed."""


async def restore_records(saver: ServerSaver) -> None:
    """Make the records fit the checkpoints: call it before any run begins."""
    await _restore_threads(saver)
    await drop_deleted_threads(saver)


async def _restore_threads(saver: ServerSaver) -> None:
    """Make a record for each thread that has checkpoints of this server, but no record."""
    records = _records()["threads"]
    known = {str(record["thread_id"]) for record in records}
    lost = [
        thread for thread in await saver.thread_ids() if thread not in known and is_uuid(thread)
    ]
    for thread in lost:
        checkpoint = await saver.last_checkpoint(thread)
        if checkpoint is not None and "graph_id" in checkpoint.metadata:
            records.append(_record(thread, checkpoint))


async def drop_deleted_threads(saver: ServerSaver) -> None:
    """Remove the record of each thread that had a state, but has no checkpoints any more."""
    async with _lock:
        with_checkpoints = await saver.thread_ids()
        gone = {
            record["thread_id"]
            for record in _records()["threads"]
            if record.get("values") and str(record["thread_id"]) not in with_checkpoints
        }
        if gone:
            for kind in ("threads", "runs", "crons"):
                _records()[kind] = [r for r in _records()[kind] if r.get("thread_id") not in gone]


async def keep_in_line(saver: ServerSaver) -> None:
    """Drop deleted threads whenever another process has changed the checkpoints; never returns."""
    seen = await saver.data_version()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            version = await saver.data_version()
            if version != seen:
                await drop_deleted_threads(saver)
            seen = version
        except sqlite3.Error as error:
            log.warning("The checkpoints cannot be read now: %s", error)


def delete_one_at_a_time() -> None:
    """Let LangGraph's server delete one thread at a time.

    It looks up the place of the record in a list, waits for the checkpoints to be deleted, and then
    removes whatever record has come to that place.
    """
    from langgraph_runtime_inmem.ops import Threads

    delete: Callable[..., Awaitable[Any]] = Threads.delete

    async def delete_alone(*args: Any, **options: Any) -> Any:
        async with _lock:
            if not _records()["threads"]:  # where the server fails instead
                raise HTTPException(404, "There is no such thread.")
            return await delete(*args, **options)

    Threads.delete = staticmethod(delete_alone)


def _records() -> Any:
    from langgraph_runtime_inmem.database import GLOBAL_STORE

    return GLOBAL_STORE


def _record(thread: str, checkpoint: LastCheckpoint) -> dict[str, Any]:
    kept = {key: checkpoint.metadata[key] for key in _KEPT_METADATA if key in checkpoint.metadata}
    return {
        "thread_id": UUID(thread),
        "created_at": checkpoint.at,
        "updated_at": datetime.now(UTC),
        "state_updated_at": checkpoint.at,
        "metadata": kept,
        "status": "idle",
        "config": {},
        "values": None,
    }
