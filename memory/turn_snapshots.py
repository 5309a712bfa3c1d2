"""What a turn has read of its user's memory at its beginning, for the nodes that come after."""

from time import monotonic
from typing import NamedTuple

from cachetools import TTLCache

from personaagent.memory.conversations import turns_place
from personaagent.memory.generation import Place
from personaagent.memory.instructions import KEY as INSTRUCTIONS
from personaagent.memory.personas import CURRENT
from personaagent.memory.remembering import KEY as REMEMBERING
from personaagent.memory.snapshot import Snapshot, Wanted

MOST_TURNS = 256
LONGEST_TURN = 600.0
"""Seconds after which a turn reads again what it needs."""
MOST_ROWS = 5000
PROFILE = ("labels", "facts", "tallies", "summary", INSTRUCTIONS)


def wanted_by_turn(thread: str | None, summary_every: int) -> Wanted:
    """What a turn of this thread needs, unless something out of the ordinary happens."""
    places: set[Place] = {("profile", key) for key in PROFILE}
    places |= {("index", "state"), ("persona", CURRENT), ("preferences", REMEMBERING)}
    if thread:
        places.add(turns_place(thread))
    scans = {"unindexed": 1, "discarded": MOST_ROWS, "news": MOST_ROWS}
    return Wanted(places, scans | ({"unsummarised": summary_every} if summary_every else {}))


def decided_from(thread: str | None) -> list[Place]:
    """What must stand still until the turn is remembered, or be read again."""
    places = [("profile", "labels"), ("profile", INSTRUCTIONS), ("index", "state")]
    return [*places, ("preferences", REMEMBERING), *([turns_place(thread)] if thread else [])]


class TurnRead(NamedTuple):
    """What a turn has read, and the keys of the notes that it has made with its thread."""

    snapshot: Snapshot
    noted: frozenset[str]


class TurnSnapshots:
    """The turns under way in this process: the latest ``MOST_TURNS``, for ``LONGEST_TURN`` seconds.

    A turn that finds nothing here, because it goes on in another process, reads again.
    """

    def __init__(self) -> None:
        self._turns: TTLCache[tuple[str, str], TurnRead] = TTLCache(
            MOST_TURNS, LONGEST_TURN, timer=monotonic
        )

    def keep(self, user: str, turn: str, read: TurnRead) -> None:
        """Keep what the turn of the user of this key has read."""
        self._turns[user, turn] = read

    def of(self, user: str, turn: str, generation: str) -> TurnRead | None:
        """What the turn has read, if that was in this generation; empty: in any."""
        read = self._turns.get((user, turn))
        if read is None or (generation and generation != read.snapshot.generation):
            return None
        return read

    def noted(self, user: str, turn: str) -> frozenset[str]:
        """The keys of the notes that the turn has made with its thread."""
        read = self._turns.get((user, turn))
        return frozenset() if read is None else read.noted

    def drop(self, user: str, turn: str) -> None:
        """The turn has ended, or begins anew."""
        self._turns.pop((user, turn), None)

    def drop_all_of(self, user: str) -> None:
        """The user has forgotten something: their turns read again."""
        for key in [key for key in self._turns if key[0] == user]:
            self.drop(*key)
