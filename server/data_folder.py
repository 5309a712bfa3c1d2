"""The development server's store and checkpointer: those in the data folder, which the command uses.

``langgraph.json`` names ``server_memory`` and ``server_checkpoints``. LangGraph's server calls each
once in every thread that runs an event loop.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from langgraph.store.base import BaseStore

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import load_settings
from personaagent.memory.data_folder import Files, open_saver, open_store
from personaagent.server.adopt_old_state import adopt_checkpoints, adopt_memory
from personaagent.server.checkpoints import ServerSaver
from personaagent.server.record_flushes import keep_flushing
from personaagent.server.thread_records import delete_one_at_a_time, keep_in_line, restore_records

IDLE = timedelta(days=30)
"""After which a thread keeps its latest state only, as ``langgraph.json`` says to other servers."""

_open = threading.local()


@asynccontextmanager
async def server_memory() -> AsyncIterator[BaseStore]:
    """The store in the data folder.

    Raises:
        DataError: the folder cannot be used.
        ConfigurationError: this is not the development server.
    """
    _check_edition()
    async with open_store(load_settings().home) as store:
        _open.store = store
        await adopt_memory(store)
        yield store


@asynccontextmanager
async def server_checkpoints() -> AsyncIterator[ServerSaver]:
    """The checkpointer in the data folder; errors as of ``server_memory``.

    When it opens, no run has begun yet: what the server was told of threads can still be mended.
    """
    _check_edition()
    async with open_saver(load_settings().home, ServerSaver) as saver:
        _open.saver = saver
        await adopt_checkpoints(saver)
        await restore_records(saver)
        await saver.prune_idle(datetime.now(UTC) - IDLE)
        yield saver


def server_files() -> Files | None:
    """The data folder that this thread has open; None on a server with a database of its own."""
    store, saver = getattr(_open, "store", None), getattr(_open, "saver", None)
    return Files(load_settings().home, store, saver) if store and saver else None


@asynccontextmanager
async def watching_deletions() -> AsyncIterator[None]:
    """While the server runs, follow what the command deletes from the data folder."""
    saver = getattr(_open, "saver", None)
    if saver is None:
        yield
        return
    delete_one_at_a_time()
    keep_flushing()
    watching = asyncio.create_task(keep_in_line(saver))
    try:
        yield
    finally:
        watching.cancel()


@asynccontextmanager
async def exclusive(
    user_id: str, *, remove_lock: bool = False, patience: float = 0
) -> AsyncIterator[None]:
    """Keep out alignments of the user by the command; see ``Files.exclusive``.

    A server with a database of its own has no command beside it.

    Raises:
        Conflict: the command is aligning the user, or forgetting something.
    """
    files = server_files()
    if files is None:
        yield
        return
    lock = files.exclusive(user_id, remove_lock=remove_lock, patience=patience)
    await asyncio.to_thread(lock.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(lock.__exit__, *sys.exc_info())


async def delete_checkpoints(threads: Collection[str]) -> None:
    """Delete the checkpoints of these threads from the data folder, if the server uses it.

    Deleting a thread over HTTP does so too, except where the server knows no such thread.
    """
    if files := server_files():
        await files.delete_threads(threads)


async def erase_deleted() -> None:
    """Erase deleted rows from the data folder, if the server uses it."""
    if files := server_files():
        await files.erase_deleted()


def _check_edition() -> None:
    if os.environ.get("LANGGRAPH_RUNTIME_EDITION", "inmem") != "inmem":
        raise ConfigurationError(
            "This server has a database of its own: remove `path` from `store` and `checkpointer` in "
            "langgraph.json."
        )
