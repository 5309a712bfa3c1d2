"""Values of the store, read in the thread that has a connection to its database."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

Path = tuple[str, ...]


def read_values(
    cursor: sqlite3.Cursor | sqlite3.Connection, places: Iterable[tuple[Path, str]]
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
