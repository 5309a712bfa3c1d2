"""The users whose memory is in a data folder, found without opening it for writing."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

DATABASE = "memory.sqlite"
_FIRST_KEY = "users."
_NEXT = "SELECT prefix FROM store WHERE prefix >= ? ORDER BY prefix LIMIT 1"
_VALUE = "SELECT value FROM store WHERE prefix = ? AND key = coalesce(?, key) LIMIT 1"
_NAMES = (("profile", "user", ("user_id",)), ("episodes", None, ("episode", "user_id")))
"""Where a user's name is: written with the persona, or else in any episode."""


def users_in(home: Path, limit: int) -> list[str]:
    """Up to ``limit`` users with a memory in the data folder ``home``; none if it cannot be read.

    The folder keeps users under a hash, so each name is read from a value of theirs.
    """
    path = home / DATABASE
    if not path.is_file():
        return []
    with suppress(sqlite3.Error), closing(_open(path)) as database:
        users: list[str] = []
        for key in _user_keys(database):
            users += [name for name in [_name_of(database, key)] if name is not None]
            if len(users) == limit:
                break
        return users
    return []


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _user_keys(database: sqlite3.Connection) -> Iterator[str]:
    """The keys of the users: one look-up for each, however much each of them has."""
    after = _FIRST_KEY
    while (row := database.execute(_NEXT, (after,)).fetchone()) and row[0].startswith(_FIRST_KEY):
        key = row[0].split(".")[1]
        yield key
        after = f"{_FIRST_KEY}{key}/"  # the first text after every namespace of this user


def _name_of(database: sqlite3.Connection, user_key: str) -> str | None:
    for namespace, key, path in _NAMES:
        row = database.execute(_VALUE, (f"{_FIRST_KEY}{user_key}.{namespace}", key)).fetchone()
        value = json.loads(row[0]) if row else None
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return None
