"""An import file: how to open it, parse it, and find everything that is wrong with it."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from personaagent.core.errors import DataError, Unreadable
from personaagent.memory.exchange.chats import read_chats
from personaagent.memory.exchange.jsonlines import read_lines
from personaagent.memory.exchange.parse_results import ParsedEpisode, ParseProblem

BOM = b"\xef\xbb\xbf"
ZIP = b"PK\x03\x04"
HEAD_BYTES = 1 << 16
MAX_PROBLEMS = 20
REPORT_EVERY = 500

ReportProgress = Callable[[float, float | None], None]
"""Called with the amount that is done, and the total if it is known."""


class Refused(Unreadable):
    """The file has errors; ``problems`` are the first 20 of them, each with its place."""

    def __init__(self, path: Path, problems: list[ParseProblem], count: int) -> None:
        self.problems = [f"{path.name}, {problem}" for problem in problems]
        more = f" (the first {len(problems)} are shown)" if count > len(problems) else ""
        super().__init__(
            f"Nothing was imported: {path.name} has {count:,} "
            f"{'error' if count == 1 else 'errors'}{more}; correct the file and import it again."
        )


@contextmanager
def open_import(path: Path) -> Iterator[BinaryIO]:
    """The file, open to be read more than once.

    Raises:
        DataError: it cannot be opened, or is not a regular file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{path} is not a regular file: write it to one and import that.")
        file = path.open("rb")
    except OSError as error:
        raise _read_error(path, error) from error
    with file:
        yield file


def fingerprint(file: BinaryIO) -> tuple[int, int]:
    """The size and the time of the last change, which differ when the file was written to."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def parse(file: BinaryIO, user_id: str) -> Iterator[ParsedEpisode | ParseProblem]:
    """The episodes and problems of the file, from its start. The first character tells its type.

    Raises:
        Unreadable: it is a zip archive.
        DataError: it cannot be read.
    """
    try:
        file.seek(0)
        head = file.read(HEAD_BYTES)
        if head.startswith(ZIP):
            raise Unreadable(
                "The file is a zip archive: unpack it, and import the conversations.json in it."
            )
        file.seek(len(BOM) if head.startswith(BOM) else 0)
        is_array = head.removeprefix(BOM).lstrip().startswith(b"[")
        yield from (read_chats if is_array else read_lines)(file, user_id)
    except OSError as error:
        raise _read_error(file.name, error) from error


def check(file: BinaryIO, path: Path, user_id: str, report: ReportProgress) -> int:
    """Parse the whole file and write nothing; returns the number of episodes in it.

    ``report`` gets the percentage.

    Raises:
        Refused: the file has errors, or two different episodes have the same id.
        Unreadable: it contains no episode.
    """
    problems: list[ParseProblem] = []
    episodes = errors = 0
    size = fingerprint(file)[0]
    for number, problem in enumerate(_check_each(file, user_id), 1):
        if problem is None:
            episodes += 1
        else:
            errors += 1
            problems += [problem][: MAX_PROBLEMS - len(problems)]
        if number % REPORT_EVERY == 0:
            report(100 * file.tell() // size, 100)
    report(100, 100)
    if errors:
        raise Refused(path, problems, errors)
    if not episodes:
        raise Unreadable(f"{path.name} holds no episode: there is nothing to import.")
    return episodes


def _check_each(file: BinaryIO, user_id: str) -> Iterator[ParseProblem | None]:
    """The problem with each item of the file; None for an episode that can be imported."""
    with _open_ids() as ids:
        for item in parse(file, user_id):
            yield item if isinstance(item, ParseProblem) else ids.conflict(item)


@contextmanager
def _open_ids() -> "Iterator[_Ids]":
    # In a temporary file of SQLite's, so that the number of ids does not cost memory.
    with closing(sqlite3.connect("")) as database:
        database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, digest, place) WITHOUT ROWID")
        yield _Ids(database)


class _Ids:
    """The ids in a file, with the digest and place of the episode that has each."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def conflict(self, parsed: ParsedEpisode) -> ParseProblem | None:
        """The problem, if a different episode had the same id earlier."""
        row = (parsed.episode.id, parsed.digest, parsed.where)
        if self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", row).rowcount:
            return None
        first_digest, first_place = self._database.execute(
            "SELECT digest, place FROM seen WHERE id = ?", row[:1]
        ).fetchone()
        if first_digest == parsed.digest:
            return None
        return ParseProblem(
            parsed.where, f"the id '{parsed.episode.id}' stands for another in {first_place}"
        )


def _read_error(path: Path | str, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror}.")
