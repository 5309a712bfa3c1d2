"""Errors of the disk and the database, as sentences for the user."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from personaagent.core.errors import DataError, PersonaAgentError

DISK_FULL = "The disk is full: make room and try again; what was stored before is intact."
HELD_TOO_LONG = "Another process has been writing to this user's persona for too long: try again."
BY_LIBRARY = {
    "psycopg": "The database cannot be used now: try again later.",
    "filelock": HELD_TOO_LONG,
}
"""By the module that defines the error. It is not imported: psycopg is installed on servers only,
and importing filelock probes the file system."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn an error of the disk or the database into a ``DataError`` with one sentence."""
    try:
        yield
    except PersonaAgentError:
        raise
    except Exception as error:
        sentence = next(filter(None, map(_sentence, _causes(error))), None)
        if sentence is None:
            raise
        raise DataError(sentence) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, first cause first.

    The store wraps some errors, and others are hidden by the failure of its COMMIT.
    """
    if error is not None:
        yield from _causes(error.__cause__ or error.__context__)
        yield error


def _sentence(error: BaseException) -> str | None:
    """The sentence for this error; None for one that is not of the disk or the database."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DISK_FULL
    if isinstance(error, sqlite3.Error):
        return sqlite_sentence(str(error))
    module = type(error).__module__
    return next((BY_LIBRARY[name] for name in BY_LIBRARY if module.startswith(name)), None)


def sqlite_sentence(reason: str) -> str:
    """The sentence for what SQLite says."""
    if "full" in reason or "disk I/O" in reason:
        return DISK_FULL
    if "locked" in reason:
        return "Another process has been writing to the data folder for too long: try again."
    if "malformed" in reason or "not a database" in reason:
        return (
            "The database in the data folder is damaged: restore a backup of the folder, "
            "or set PERSONAAGENT_HOME to another one."
        )
    return f"The database in the data folder cannot be used: {reason}."
