"""What is read from the tables of the store, by the thread that has the connection."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from langgraph.store.base import GetOp, ListNamespacesOp, Op, SearchOp
from langgraph.store.base import Result as OpResult
from langgraph.store.sqlite import SqliteStore

Path = tuple[str, ...]


def read_values(
    cursor: sqlite3.Cursor, places: Iterable[tuple[Path, str]]
) -> dict[tuple[Path, str], dict[str, Any]]:
    """The values that stand under these paths and keys."""
    keys: dict[Path, list[str]] = defaultdict(list)
    for path, key in places:
        keys[path].append(key)
    found: dict[tuple[Path, str], dict[str, Any]] = {}
    for path, asked in keys.items():
        marks = ", ".join("?" * len(asked))
        sql = f"SELECT key, value FROM store WHERE prefix = ? AND key IN ({marks})"  # noqa: S608  # marks
        for key, value in cursor.execute(sql, (".".join(path), *asked)):
            found[path, key] = orjson.loads(value)
    return found


def read_rows(cursor: sqlite3.Cursor, path: Path, limit: int) -> list[tuple[str, Any]]:
    """Up to ``limit`` keys and values under ``path``, in no set order."""
    sql = "SELECT key, value FROM store WHERE prefix = ? LIMIT ?"
    return [
        (key, orjson.loads(value)) for key, value in cursor.execute(sql, (".".join(path), limit))
    ]


class BatchReader:
    """Reads by LangGraph's own queries, but with a plain cursor."""

    def __init__(self) -> None:
        self._store: SqliteStore | None = None

    def read(self, cursor: sqlite3.Cursor, ops: Sequence[Op]) -> list[OpResult]:
        """The results of these reading operations, in their order."""
        if self._store is None:
            self._store = SqliteStore(cursor.connection)
        store, results = self._store, [None for _ in ops]
        by_kind = {
            GetOp: store._batch_get_ops,
            SearchOp: store._batch_search_ops,
            ListNamespacesOp: store._batch_list_namespaces_ops,
        }
        for kind, read in by_kind.items():
            if of_kind := [(place, op) for place, op in enumerate(ops) if isinstance(op, kind)]:
                read(of_kind, results, cursor)
        return results
