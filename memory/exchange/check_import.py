"""Everything that an import file holds, and that is wrong with it, before anything is written."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from personaagent.core.calendar import is_undated
from personaagent.core.errors import Unreadable
from personaagent.core.records import Episode
from personaagent.memory.exchange.import_file import fingerprint, parse
from personaagent.memory.exchange.parse_results import LeftOut, Parsed, ParsedEpisode, ParseProblem

MAX_PROBLEMS = 20
REPORT_EVERY = 500
SAID_TWICE = "a message that stands in the file twice, with another answer"

ReportProgress = Callable[[float, float | None], None]
"""Called with the amount that is done, and the total if it is known."""


class Refused(Unreadable):
    """The file has errors; ``problems`` are the first 20 of them, each with its place."""

    def __init__(self, sentence: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(sentence)


@dataclass
class Checked:
    """What the file holds: episodes, by source and time, and what of it is left out, and why."""

    episodes: int = 0
    repeated: int = 0
    """How many more stand in the file twice, just the same."""
    sources: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None
    newest: datetime | None = None
    undated: int = 0
    left_out: int = 0
    """Conversations."""
    why: list[str] = field(default_factory=list)
    """The first 20 conversations that are left out, each with its reason."""
    messages_left_out: Counter[str] = field(default_factory=Counter)
    """How many messages of conversations that were read are left out, by reason."""
    errors: int = 0
    problems: list[str] = field(default_factory=list)
    """The first 20 errors of JSON lines."""

    @property
    def total(self) -> int:
        """How many episodes the import reads."""
        return self.episodes + self.repeated

    def add(self, item: Parsed | None) -> None:
        """Count the item; None is an episode that was there before."""
        if isinstance(item, ParsedEpisode):
            self._add_episode(item.episode)
        elif item is None:
            self.repeated += 1
        elif isinstance(item, ParseProblem):
            self.errors += 1
            self.problems += [str(item)][: MAX_PROBLEMS - len(self.problems)]
        elif item.kind == "message":
            self.messages_left_out[item.why] += 1
        else:
            self.left_out += 1
            self.why += [str(item)][: MAX_PROBLEMS - len(self.why)]

    def _add_episode(self, episode: Episode) -> None:
        self.episodes += 1
        self.sources[episode.source] += 1
        at = episode.created_at
        if is_undated(at):
            self.undated += 1
        else:
            self.oldest = min(at, self.oldest or at)
            self.newest = max(at, self.newest or at)


def check(file: BinaryIO, path: Path, user_id: str, report: ReportProgress) -> Checked:
    """Parse the whole file and write nothing. ``report`` gets the percentage.

    Raises:
        Refused: JSON lines have errors, or two different episodes have the same id; or nothing of
            another program's export can be read.
        Unreadable: it contains no episode.
    """
    checked = Checked()
    size = fingerprint(file)[0]
    for number, item in enumerate(_distinct(file, user_id), 1):
        checked.add(item)
        if number % REPORT_EVERY == 0:
            report(100 * min(file.tell(), size) // size, 100)
    report(100, 100)
    _refuse_if_useless(checked, path)
    return checked


def _refuse_if_useless(checked: Checked, path: Path) -> None:
    if checked.errors:
        more = f" (the first {MAX_PROBLEMS} are shown)" if checked.errors > MAX_PROBLEMS else ""
        raise Refused(
            f"Nothing was imported: {path.name} has {checked.errors:,} "
            f"{'error' if checked.errors == 1 else 'errors'}{more}; correct the file and import it "
            "again.",
            [f"{path.name}, {each}" for each in checked.problems],
        )
    if not checked.episodes and checked.left_out:
        raise Refused(
            f"Nothing was imported: {path.name} holds no conversation that can be imported.",
            [f"{path.name}, {each}" for each in checked.why],
        )
    if not checked.episodes:
        raise Unreadable(f"{path.name} holds no episode: there is nothing to import.")


def _distinct(file: BinaryIO, user_id: str) -> Iterator[Parsed | None]:
    """The items of the file; None for an episode that was there before, and what is wrong in place
    of one whose id stands for another."""
    with _open_ids() as ids:
        for item in parse(file, user_id):
            yield ids.check(item) if isinstance(item, ParsedEpisode) else item


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

    def check(self, parsed: ParsedEpisode) -> Parsed | None:
        """The episode, if its id is new; None if it was there before, else what is wrong."""
        row = (parsed.episode.id, parsed.digest, parsed.where)
        if self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", row).rowcount:
            return parsed
        first_digest, first_place = self._database.execute(
            "SELECT digest, place FROM seen WHERE id = ?", row[:1]
        ).fetchone()
        if first_digest == parsed.digest:
            return None
        if not parsed.strict:
            return LeftOut(parsed.where, SAID_TWICE, "message")
        return ParseProblem(
            parsed.where, f"the id '{parsed.episode.id}' stands for another in {first_place}"
        )
