"""A user's own part of the LangGraph Store: the only way that memory reads and writes it."""

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal, TypeVar, get_args

from langgraph.store.base import BaseStore, PutOp, SearchItem

from personaagent.core.errors import DataError, PersonaAgentError
from personaagent.core.users import user_key

Namespace = Literal[
    "episodes",
    "conversations",
    "unindexed",
    "unsummarised",
    "unaligned",
    "profile",
    "persona",
    "news",
    "simulations",
    "spending",
    "index",
]
Value = dict[str, Any]
Change = tuple[Namespace, str, Value | None]
Found = TypeVar("Found")

WRITTEN = 1000
READ = 5000
"""Values written, and read, at a time: each page read costs the store a sort of all."""


class UserStore:
    """The part of ``store`` that belongs to one user, in the namespaces ``users.<key>.<kind>``.

    Nothing here takes another user's id, so nothing here can reach another user's data.
    """

    def __init__(self, store: BaseStore, user_id: str) -> None:
        self.user_id = user_id
        self.key = user_key(user_id)
        self._store = store

    async def get(self, kind: Namespace, *keys: str) -> list[Value | None]:
        """The values of ``keys``, in that order; None for one that is not there."""
        place = self._at(kind)
        items = await _queued(self._store.aget(place, key) for key in keys)
        return [None if item is None else item.value for item in items]

    async def put(self, kind: Namespace, key: str, value: Value) -> None:
        """Put this one value."""
        await _queued([self._store.aput(self._at(kind), key, value, index=False)])

    async def write(self, changes: Iterable[Change]) -> None:
        """Put these values (None deletes) in one transaction: all of them or none."""
        puts = [PutOp(self._at(kind), key, value, index=False) for kind, key, value in changes]
        if puts:
            with storage_errors():
                # To its end, also when we are cancelled: a transaction that is cut would stay open
                # on the connection, and fail whatever comes next.
                await asyncio.shield(self._store.abatch(puts))

    async def write_many(self, changes: Iterable[Change]) -> None:
        """Put any number of values, some at a time: what breaks off midway is half done.

        SQLite takes 32,766 values in a statement, so that ``write`` is for a few thousand.
        """
        left = iter(changes)
        while page := list(islice(left, WRITTEN)):
            await self.write(page)

    async def each(self, kind: Namespace, **equal: Any) -> AsyncIterator[tuple[str, Value]]:
        """Every key and value of ``kind`` whose fields equal ``equal``, in no particular order."""
        offset = 0
        while True:
            page = await self._search(kind, filter=equal or None, limit=READ, offset=offset)
            for item in page:
                yield item.key, item.value
            if len(page) < READ:
                return
            offset += READ

    async def some(self, kind: Namespace, limit: int) -> list[str]:
        """Up to ``limit`` keys of ``kind``."""
        return [item.key for item in await self._search(kind, limit=limit)]

    async def clear(self) -> None:
        """Delete everything of this user."""
        for kind in get_args(Namespace):
            await self.clear_kind(kind)

    async def clear_kind(self, kind: Namespace) -> int:
        """Delete everything of ``kind``; returns how many values there were."""
        count = 0
        while keys := await self.some(kind, WRITTEN):
            await self.write((kind, key, None) for key in keys)
            count += len(keys)
        return count

    async def _search(self, kind: Namespace, **options: Any) -> list[SearchItem]:
        [found] = await _queued([self._store.asearch(self._at(kind), **options)])
        return found

    def _at(self, kind: Namespace) -> tuple[str, str, str]:
        return ("users", self.key, kind)


async def _queued(asked: Iterable[Awaitable[Found]]) -> list[Found]:
    """What the store gives for each; it queues them and does in one transaction what has come
    meanwhile, so that many at once cost little more than one."""
    with storage_errors():
        return await asyncio.gather(*asked)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn what a failing disk or database gives into one sentence (``DataError``)."""
    try:
        yield
    except PersonaAgentError:
        raise
    except Exception as error:
        sentence = next(filter(None, map(_sentence, _chain(error))), None)
        if sentence is None:
            raise
        raise DataError(sentence) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """What began it first: the store wraps some errors, and others hide behind its COMMIT."""
    if error is not None:
        yield from _chain(error.__cause__ or error.__context__)
        yield error


_FULL = "The disk is full: make room and try again; what was stored before is intact."


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _FULL
    if type(error).__module__.startswith("psycopg"):  # which is there on a server alone
        return "The database cannot be used now: try again later."
    if type(error).__module__.startswith("filelock"):  # whose import probes the file system
        return "Another process has been writing to this user's persona for too long: try again."
    if not isinstance(error, sqlite3.Error):
        return None
    reason = str(error)
    if "full" in reason or "disk I/O" in reason:
        return _FULL
    if "locked" in reason:
        return "Another process has been writing to the data folder for too long: try again."
    if "malformed" in reason or "not a database" in reason:
        return (
            "The database in the data folder is damaged: restore a backup of the folder, "
            "or set PERSONAAGENT_HOME to another one."
        )
    return f"The database in the data folder cannot be used: {reason}."
