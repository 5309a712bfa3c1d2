"""A user's own part of the LangGraph Store: the only way that memory reads and writes it."""

import errno
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

from langgraph.store.base import BaseStore, GetOp, PutOp

from personaagent.core.errors import DataError
from personaagent.core.records import user_key

Kind = Literal[
    "episodes", "conversations", "unindexed", "unsummarised", "profile", "persona", "index"
]
Value = dict[str, Any]

PAGE = 1000


class Space:
    """The part of ``store`` that belongs to one user, in the namespaces ``users.<key>.<kind>``.

    Nothing here takes another user's id, so nothing here can reach another user's data.
    """

    def __init__(self, store: BaseStore, user_id: str) -> None:
        self.user_id = user_id
        self.key = user_key(user_id)
        self._store = store

    async def get(self, kind: Kind, *keys: str) -> list[Value | None]:
        """The values of ``keys``, in that order; None for one that is not there."""
        with storage_errors():
            items = await self._store.abatch([GetOp(self._at(kind), key) for key in keys])
        return [None if item is None else item.value for item in items]  # type: ignore[union-attr]

    async def write(self, changes: Iterable[tuple[Kind, str, Value | None]]) -> None:
        """Put these values (None deletes) in one transaction: all of them or none."""
        puts = [PutOp(self._at(kind), key, value, index=False) for kind, key, value in changes]
        if puts:
            with storage_errors():
                await self._store.abatch(puts)

    async def each(self, kind: Kind, **equal: Any) -> AsyncIterator[tuple[str, Value]]:
        """Every key and value of ``kind`` whose fields equal ``equal``, in no particular order."""
        offset = 0
        while True:
            with storage_errors():
                page = await self._store.asearch(
                    self._at(kind), filter=equal or None, limit=PAGE, offset=offset
                )
            for item in page:
                yield item.key, item.value
            if len(page) < PAGE:
                return
            offset += PAGE

    async def some(self, kind: Kind, limit: int) -> list[str]:
        """Up to ``limit`` keys of ``kind``."""
        with storage_errors():
            found = await self._store.asearch(self._at(kind), limit=limit)
        return [item.key for item in found]

    async def clear(self) -> None:
        """Delete everything of this user."""
        for kind in get_args(Kind):
            while keys := await self.some(kind, PAGE):
                await self.write((kind, key, None) for key in keys)

    def _at(self, kind: Kind) -> tuple[str, str, str]:
        return ("users", self.key, kind)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn what a failing disk or database gives into one sentence (``DataError``)."""
    try:
        yield
    except sqlite3.Error as error:
        raise DataError(_sentence(str(error))) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DataError(_FULL) from error
        raise


_FULL = "The disk is full: make room and try again; what was stored before is intact."


def _sentence(reason: str) -> str:
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
