"""The rows of the embedded index: its tables, and the statements that write them.

They are in the database of the store, so that one transaction writes an episode and its rows. The id
of a passage is the number of the user times 2^32, plus a serial number: so the rows of a user lie
together, and new ones come last. ``stamp`` of a user is a new random number after each deletion.
"""

from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Any

from personaagent.memory.index.protocol import PARTS, Entry, Passage

Statement = tuple[str, list[tuple[Any, ...]]]
"""SQL, and the values for each time that it is executed."""

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS index_users (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, stamp INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS passages (
        id INTEGER PRIMARY KEY, episode TEXT NOT NULL, at REAL NOT NULL, thread INTEGER NOT NULL,
        part INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
        vector BLOB, terms BLOB NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS passages_episode ON passages (episode)",
    """
    CREATE TRIGGER IF NOT EXISTS passage_deleted AFTER DELETE ON passages BEGIN
        UPDATE index_users SET stamp = random() WHERE id = OLD.id >> 32;
        DELETE FROM index_users WHERE id = OLD.id >> 32 AND NOT EXISTS (
            SELECT 1 FROM passages WHERE id BETWEEN OLD.id >> 32 << 32 AND OLD.id >> 32 << 32 | 0xFFFFFFFF
        );
    END
    """,
)
EPISODE_TRIGGER = """
    CREATE TRIGGER IF NOT EXISTS episode_deleted AFTER DELETE ON store
    WHEN OLD.prefix GLOB 'users.*.episodes' BEGIN
        DELETE FROM passages WHERE id IN (
            SELECT passages.id FROM index_users AS user JOIN passages
                ON episode = OLD.key AND passages.id BETWEEN user.id << 32 AND user.id << 32 | 0xFFFFFFFF
            WHERE key = substr(OLD.prefix, 7, length(OLD.prefix) - 15)
        );
    END
"""
"""Whoever deletes an episode deletes its rows in the same transaction."""

_OWN = """id BETWEEN (SELECT id FROM index_users WHERE key = ?1) << 32
    AND (SELECT id FROM index_users WHERE key = ?1) << 32 | 0xFFFFFFFF"""
_LAST = """(SELECT max(id) FROM passages WHERE id BETWEEN user.id << 32 AND user.id << 32 | 0xFFFFFFFF)"""
# ruff: noqa: S608  # the parts of these statements are constants

STATE = f"SELECT id, stamp, {_LAST} FROM index_users AS user WHERE key = ?1"
PAGE = """
    SELECT id, episode, at, thread, part, start, stop, vector, terms
    FROM passages WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?
"""
COUNT = f"SELECT count(DISTINCT episode) FROM passages WHERE {_OWN}"
ANY = f"SELECT EXISTS (SELECT 1 FROM passages WHERE {_OWN})"
COUNT_OF = f"SELECT EXISTS (SELECT 1 FROM passages WHERE episode = ?2 AND {_OWN})"

_ADD_USER = "INSERT INTO index_users (key, stamp) VALUES (?1, random()) ON CONFLICT DO NOTHING"
_DELETE = f"DELETE FROM passages WHERE episode = ?2 AND {_OWN}"
_DELETE_FORGOTTEN = f"""
    DELETE FROM passages WHERE episode = ?2 AND {_OWN} AND NOT EXISTS (
        SELECT 1 FROM store WHERE prefix = 'users.' || ?1 || '.episodes' AND key = ?2
    )
"""
_CLEAR = f"DELETE FROM passages WHERE {_OWN}"
_INSERT = f"""
    INSERT INTO passages (id, episode, at, thread, part, start, stop, vector, terms)
    SELECT 1 + coalesce({_LAST}, id << 32), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
    FROM index_users AS user WHERE key = ?1
"""


def insert(user: str, entries: Sequence[Entry]) -> list[Statement]:
    """The statements that add the entries of ``user``, replacing those of the same episodes."""
    if not entries:
        return []
    rows = [
        (user, entry.episode_id, entry.at, thread_number(entry.thread), *_columns(passage))
        for entry in entries
        for passage in entry.passages
    ]
    return [*delete(user, [e.episode_id for e in entries]), (_ADD_USER, [(user,)]), (_INSERT, rows)]


def insert_existing(user: str, entries: Sequence[Entry]) -> list[Statement]:
    """The same in the database of the store: an episode that is not there, because it was forgotten
    meanwhile, gets no rows."""
    ids = [(user, entry.episode_id) for entry in entries]
    return [*insert(user, entries), (_DELETE_FORGOTTEN, ids)]


def delete(user: str, episode_ids: Collection[str]) -> list[Statement]:
    """The statements that remove the rows of these episodes of ``user``."""
    return [(_DELETE, [(user, id) for id in episode_ids])]


def clear(user: str) -> list[Statement]:
    """The statements that remove all rows of ``user``."""
    return [(_CLEAR, [(user,)])]


def thread_number(thread: str | None) -> int:
    """A number that stands for this conversation (63 bits of a hash); -1 for None."""
    if thread is None:
        return -1
    return int.from_bytes(blake2b(thread.encode(), digest_size=8).digest()) >> 1


def _columns(passage: Passage) -> tuple[Any, ...]:
    import numpy as np

    packed = np.array([*passage.terms.items()], dtype=term_type())
    vector = None if passage.dense is None else np.array(passage.dense, dtype="<f2").tobytes()
    part = PARTS.index(passage.part)
    return part, passage.start, passage.end, vector, packed.tobytes()


def term_type() -> Any:
    """The type of one term in the column ``terms``: its hash and its count."""
    import numpy as np

    return np.dtype([("term", "<u4"), ("count", "<f2")])
