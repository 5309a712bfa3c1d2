"""The embedded index: rows in an SQLite database, and exact search over those of one user."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.core.files import make_private
from personaagent.memory.index import rows
from personaagent.memory.index.block_cache import BlockCache
from personaagent.memory.index.protocol import Entry, Found, Hit, IndexQuery, Scores
from personaagent.memory.sqlite_values import read_values
from personaagent.memory.storage_errors import sqlite_sentence

if TYPE_CHECKING:
    from personaagent.memory.index.blocks import Block

T = TypeVar("T")
CACHE_BYTES = 256 << 20
BLOCK_ROWS = 8192


class SqliteIndex:
    """An ``EpisodeIndex`` in the database ``path``, opened on first use; in memory without a path.

    A search computes the scores of all of the user's episodes. Their rows stay decoded in memory, and
    a search reads only those that were added since, by this process or another. A user with more than
    ``cache_bytes`` is read block by block for each search. All calls run in a thread, one at a time.

    Args:
        path: the database. That of the store has the tables already.
        cache_bytes: how much memory decoded rows may take.
    """

    kind = "sqlite"

    def __init__(self, path: Path | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._cache = BlockCache(cache_bytes)
        self._lock = threading.Lock()

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        await self._run(self._write, rows.insert(user, entries))

    async def search(self, user: str, query: IndexQuery) -> Scores:
        return await self._run(self._search, user, query)

    async def find(self, user: str, query: IndexQuery) -> Found:
        """The best episodes with what the store holds of them, where it is in the same database."""
        return await self._run(self._find, user, query)

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        await self._run(self._write, rows.delete(user, episode_ids))

    async def clear(self, user: str) -> None:
        await self._run(self._write, rows.clear(user))

    async def has_entries(self, user: str) -> bool:
        return bool(await self._run(self._number, rows.ANY, user))

    async def count(self, user: str) -> int:
        return await self._run(self._number, rows.COUNT, user)

    async def count_of(self, user: str, episode_ids: Collection[str]) -> int:
        return await self._run(self._count_of, user, episode_ids)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    async def _run(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.to_thread(self._locked, call, *arguments)

    def _locked(self, call: Callable[..., T], *arguments: Any) -> T:
        with self._lock, _index_errors():
            if self._connection is None:
                self._connection = _connect(self._path)
            return call(self._connection, *arguments)

    def _write(self, connection: sqlite3.Connection, statements: list[rows.Statement]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for sql, values in statements:
                connection.executemany(sql, values)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _number(self, connection: sqlite3.Connection, sql: str, *values: Any) -> int:
        return int(connection.execute(sql, values).fetchone()[0])

    def _count_of(
        self, connection: sqlite3.Connection, user: str, episode_ids: Collection[str]
    ) -> int:
        return sum(self._number(connection, rows.COUNT_OF, user, id) for id in episode_ids)

    def _search(self, connection: sqlite3.Connection, user: str, query: IndexQuery) -> Scores:
        from personaagent.memory.index.scoring import score  # imports numpy

        return score(self._blocks(connection, user), query)

    def _find(self, connection: sqlite3.Connection, user: str, query: IndexQuery) -> Found:
        from personaagent.memory.fusion import best_passages  # imports numpy

        scores = self._search(connection, user, query)
        passages, path = best_passages(scores, query.limit), ("users", user, "episodes")
        stored = read_values(connection, [(path, id) for id in passages])
        hits = [Hit(id, passage, stored.get((path, id))) for id, passage in passages.items()]
        return Found(len(scores), hits)

    def _blocks(self, connection: sqlite3.Connection, user: str) -> "Iterator[Block]":
        """The blocks of the user: those in the cache, then new ones, which the cache gets as long as
        they fit."""
        state = connection.execute(rows.STATE, [user]).fetchone()
        if state is None:
            return
        number, stamp, last_id = state
        cached = self._cache.take(number, stamp)
        next_id = _unfinished(cached.blocks, number << 32, last_id)
        yield from cached.blocks
        fits = True
        for block in _read(connection, next_id, last_id):
            fits = fits and cached.nbytes + block.nbytes <= self._cache.limit
            if fits:
                cached.blocks.append(block)
            yield block
        if fits:
            self._cache.put(number, cached)

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._cache = BlockCache(self._cache.limit)


def _connect(path: Path | None) -> sqlite3.Connection:
    """The database at ``path``, which is made if need be."""
    if path is not None:
        make_private(path.parent)
        path.touch(0o600)
    connection = sqlite3.connect(
        ":memory:" if path is None else path, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "busy_timeout=10000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    for table in rows.TABLES:
        connection.execute(table)
    return connection


def _unfinished(blocks: "list[Block]", before_first: int, last_id: int) -> int:
    """Drop the last blocks that are no larger than what follows them, so that few small ones are
    left; returns the id of the row to read from."""
    next_id = blocks[-1].last_id + 1 if blocks else before_first
    while blocks and next_id <= last_id and len(blocks[-1]) < BLOCK_ROWS // 2:
        if len(blocks[-1]) > last_id - blocks[-1].last_id:
            break
        next_id = blocks.pop().first_id
    return next_id


def _read(connection: sqlite3.Connection, next_id: int, last_id: int) -> "Iterator[Block]":
    """The rows from ``next_id`` to ``last_id``; no episode is cut in two."""
    from personaagent.memory.index.blocks import Block  # imports numpy

    while next_id <= last_id:
        page = connection.execute(rows.PAGE, [next_id, last_id, BLOCK_ROWS]).fetchall()
        whole = [row for row in page if row[1] != page[-1][1]] if len(page) == BLOCK_ROWS else page
        if not (page := whole or page):
            return
        yield Block.of(page)
        next_id = page[-1][0] + 1


@contextmanager
def _index_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise IndexUnavailable(sqlite_sentence(str(error))) from error
    except ValueError as error:
        raise IndexDamaged(
            f"The index cannot be read ({error}): run `personaagent memory reindex`."
        ) from error
