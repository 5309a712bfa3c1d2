"""Erasing deleted rows from the files of the data folder, without keeping anybody waiting."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from personaagent.memory.storage_errors import storage_errors

PACKED_AT_ONCE = 64 << 20
"""Size (bytes) of a database that is packed whenever something is forgotten."""
WAIT_MS = 10_000
"""How long (milliseconds) it waits for a reader or a writer of the same file."""


class Eraser:
    """Erases one at a time. Who asks while it is at work shares the next time with the others."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._asked = self._erased = 0

    async def erase(self, databases: Sequence[Path], *, pack: bool) -> None:
        """Erase what was deleted before this call.

        It has connections of its own: others go on reading meanwhile, and a write waits.

        Raises:
            DataError: the disk is full, or a file cannot be used.
        """
        self._asked += 1
        asked = self._asked
        async with self._lock:
            if self._erased >= asked and not pack:
                return
            starting = self._asked
            with storage_errors():
                for path in databases:
                    await asyncio.to_thread(_erase, path, pack)
            self._erased = starting


def _erase(path: Path, pack: bool) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        if pack or _size(database) <= PACKED_AT_ONCE:
            database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _size(database: sqlite3.Connection) -> int:
    """The size of the database (bytes)."""
    [pages], [page] = (database.execute(f"PRAGMA page_{of}").fetchone() for of in ("count", "size"))
    return int(pages) * int(page)
