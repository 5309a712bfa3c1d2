"""An import file: which kind it is, and everything that is wrong with it."""

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
SHOWN = 20
EVERY = 500


Advance = Callable[[float, float | None], None]
"""Called with what is done, and what there is in all."""


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
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open to be read more than once.

    Raises:
        DataError: it cannot be opened, or is not a regular file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{path} is not a regular file: write it to one and import that.")
        file = path.open("rb")
    except OSError as error:
        raise _not_read(path, error) from error
    with file:
        yield file


def _not_read(path: Path | str, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror}.")


def stamp(file: BinaryIO) -> tuple[int, int]:
    """What changes when the file is written to: its size, and the time of the last change."""
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


def read(file: BinaryIO, user_id: str) -> Iterator[ParsedEpisode | ParseProblem]:
    """What is in the file, from its start; its kind is told by its first character.

    Raises:
        Unreadable: it is a zip archive.
        DataError: it cannot be read.
    """
    try:
        file.seek(0)
        head = file.read(1 << 16)
        if head.startswith(ZIP):
            raise Unreadable(
                "The file is a zip archive: unpack it, and import the conversations.json in it."
            )
        file.seek(len(BOM) if head.startswith(BOM) else 0)
        is_array = head.removeprefix(BOM).lstrip().startswith(b"[")
        yield from (read_chats if is_array else read_lines)(file, user_id)
    except OSError as error:
        raise _not_read(file.name, error) from error


def check(file: BinaryIO, path: Path, user_id: str, advance: Advance) -> int:
    """Read the whole file and write nothing; returns how many episodes it holds.

    ``advance`` is told the percentage.

    Raises:
        Refused: something is wrong with it, or two of its episodes share an id.
        Unreadable: it holds no episode.
    """
    problems: list[ParseProblem] = []
    episodes = wrong = 0
    size = stamp(file)[0]
    with _ids() as first_with:
        for found in read(file, user_id):
            problem = found if isinstance(found, ParseProblem) else first_with(found)
            if problem is None:
                episodes += 1
            else:
                wrong += 1
                problems += [problem][: SHOWN - len(problems)]
            if (episodes + wrong) % EVERY == 0:
                advance(100 * file.tell() // size, 100)
    advance(100, 100)
    if wrong:
        raise Refused(path, problems, wrong)
    if not episodes:
        raise Unreadable(f"{path.name} holds no episode: there is nothing to import.")
    return episodes


@contextmanager
def _ids() -> "Iterator[_Ids]":
    """Remembers ids in a temporary file of SQLite's, so that their number costs no memory."""
    with closing(sqlite3.connect("")) as database:
        database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, digest, place) WITHOUT ROWID")
        yield _Ids(database)


class _Ids:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __call__(self, found: ParsedEpisode) -> ParseProblem | None:
        """The problem, if another content had that id before."""
        row = (found.episode.id, found.digest, found.where)
        if self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", row).rowcount:
            return None
        digest, place = self._database.execute(
            "SELECT digest, place FROM seen WHERE id = ?", row[:1]
        ).fetchone()
        if digest == found.digest:
            return None
        return ParseProblem(
            found.where, f"the id '{found.episode.id}' stands for another in {place}"
        )
