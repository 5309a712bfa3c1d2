"""What LangGraph reads from the tables of the store, by the thread that has the connection."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from langgraph.store.base import GetOp, ListNamespacesOp, Op, SearchOp
from langgraph.store.base import Result as OpResult
from langgraph.store.sqlite import SqliteStore


class BatchReader:
    """Reads by LangGraph's own queries, but with a plain cursor."""

    def __init__(self) -> None:
        self._store: SqliteStore | None = None

    def read(self, cursor: sqlite3.Cursor, ops: Sequence[Op]) -> list[OpResult]:
        """The results of these reading operations, in their order."""
        if self._store is None:
            self._store = SqliteStore(cursor.connection)
        store, results = self._store, list[OpResult]([None] * len(ops))
        by_kind: dict[type[Op], Callable[[Any, list[OpResult], sqlite3.Cursor], None]] = {
            GetOp: store._batch_get_ops,
            SearchOp: store._batch_search_ops,
            ListNamespacesOp: store._batch_list_namespaces_ops,
        }
        for kind, read in by_kind.items():
            if of_kind := [(place, op) for place, op in enumerate(ops) if isinstance(op, kind)]:
                read(of_kind, results, cursor)
        return results
