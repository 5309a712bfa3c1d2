"""Instructions: what queries of a task begin or end with, so that only what differs tells them apart.

A task is a label, or, without one, queries that share an instruction. A small record of the user's
names the known instructions and the latest queries, by hashes. ``instruction_learning.py`` brings it
up to date whenever episodes are indexed, so no turn reads all episodes. Forgetting an episode takes
it out of the record, and with it an instruction that too few others share.
"""

import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pydantic import Field

from personaagent.core.record import Record
from personaagent.core.records import Episode
from personaagent.memory.hiding import Hidden
from personaagent.memory.shared_text import LEAST_TEXTS, LEAST_WORDS, Side, Words, groups
from personaagent.memory.user_store import StoreWrite, UserStore

KEY = "instructions"
"""In the namespace ``profile``."""
EARLIEST, LATEST = 8, 24
"""How many of the episodes that share an instruction are named: some must remain, whatever is hidden."""
MOST_KNOWN = 64
SEEN_OF_TASK, SEEN = 48, 512
"""How many of the latest queries are named, of a task and of all."""
SIDES: tuple[Side, ...] = ("leading", "trailing")


class Seen(NamedTuple):
    """A query: the id of its episode, when (Unix seconds), and hashes of all its words and of those
    that it begins and ends with (0: it has too few)."""

    id: str
    at: float
    whole: int
    leading: int
    trailing: int
    task: str | None

    @classmethod
    def of(cls, episode: Episode) -> "Seen":
        """The query of this episode."""
        leading, trailing = (Words(episode.query, side).folded for side in SIDES)
        hashes = _hash(leading), _edge_hash(leading), _edge_hash(trailing)
        return cls(episode.id, episode.created_at.timestamp(), *hashes, episode.task)

    def edge(self, side: Side) -> int:
        """The hash of the first words of ``side``."""
        return self.leading if side == "leading" else self.trailing


class Instruction(Record):
    """A text that queries of ``task`` share at ``side``, and some of those that share it."""

    text: str
    side: Side
    task: str | None = None
    sharing: list[Seen]

    @property
    def holds(self) -> bool:
        """Whether enough different queries share it."""
        return len({each.whole for each in self.sharing}) >= LEAST_TEXTS

    def joined_by(self, seen: Seen) -> "Instruction":
        """The instruction with one more query that shares it; asked again, it counts once."""
        others = [each for each in self.sharing if each.whole != seen.whole]
        sharing = sorted([*others, seen], key=lambda each: each.at)
        if len(sharing) > EARLIEST + LATEST:
            sharing = [*sharing[:EARLIEST], *sharing[-LATEST:]]
        return self.model_copy(update={"sharing": sharing})


@dataclass(frozen=True)
class Split:
    """What differs in a query stands from ``start`` to ``end`` (characters); around it stand the
    instructions ``leading`` and ``trailing``, if there are such."""

    start: int
    end: int
    leading: Instruction | None = None
    trailing: Instruction | None = None

    @property
    def instruction(self) -> str:
        """The instruction; an ellipsis stands for what differs. Empty if there is none."""
        if self.leading is None and self.trailing is None:
            return ""
        before, after = (each.text if each else "" for each in (self.leading, self.trailing))
        return f"{before} … {after}".strip()

    @property
    def task(self) -> str | None:
        """The label of the task whose instruction it is; None if it has none."""
        tasks = [each.task for each in (self.leading, self.trailing) if each and each.task]
        return tasks[0] if tasks else None


class Instructions(Record):
    """A user's instructions, and the latest queries."""

    known: list[Instruction] = Field(default_factory=list)
    seen: list[Seen] = Field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        """The ids of all episodes that the record names."""
        sharing = [seen.id for known in self.known for seen in known.sharing]
        return {*sharing, *(seen.id for seen in self.seen)}

    def split(self, query: str) -> Split:
        """Where ``query`` differs from those that share an instruction with it: the longest one at
        either side, as long as something remains."""
        if not self.known:
            return Split(0, len(query))
        words: dict[Side, Words] = {each: Words(query, each) for each in SIDES}
        leading, start = self._longest(words, "leading", lambda edge: True)
        if leading is None:
            start = 0
        trailing, end = self._longest(
            words, "trailing", lambda edge: bool(query[start:edge].strip())
        )
        return Split(start, len(query) if trailing is None else end, leading, trailing)

    def differing(self, query: str) -> str:
        """What differs in ``query``."""
        split = self.split(query)
        return query[split.start : split.end].strip() or query

    def visible(self, hidden: Hidden) -> "Instructions":
        """The instructions that enough queries share of those that are not ``hidden``."""
        before = None if hidden.before is None else hidden.before.timestamp()
        return self._only(
            lambda each: each.id not in hidden.episodes and (before is None or each.at < before)
        )

    def without(self, episode_ids: Collection[str]) -> "Instructions":
        """As if these episodes had never been, as far as the record names the others."""
        return self._only(lambda each: each.id not in episode_ids)

    def _only(self, remains: Callable[[Seen], bool]) -> "Instructions":
        known = [
            each.model_copy(update={"sharing": [*filter(remains, each.sharing)]})
            for each in self.known
        ]
        return Instructions(
            known=[each for each in known if each.holds], seen=[*filter(remains, self.seen)]
        )

    def _longest(
        self, words: dict[Side, Words], side: Side, fits: Callable[[int], bool]
    ) -> tuple[Instruction | None, int]:
        """The longest instruction of ``side`` that the query shares, and where it ends there."""
        found = [
            (len(shared), each.task is not None, each, edge)
            for each in self.known
            if each.side == side
            and words[side].share(shared := Words(each.text, side))
            and fits(edge := words[side].edge(len(shared)))
        ]
        if not found:
            return None, 0
        *_, instruction, edge = max(found, key=lambda each: each[:2])
        return instruction, edge


@lru_cache(maxsize=4)
def shared_by(queries: tuple[str, ...]) -> Instructions:
    """What these queries share, whoever asked them; such a record names no episodes."""
    known = [
        Instruction(text=words[group.members[0]].first(group.words), side=side, sharing=[])
        for side in SIDES
        for words in [[Words(query, side) for query in dict.fromkeys(queries)]]
        for group in groups(words)
    ]
    return Instructions(known=known)


async def read_instructions(store: UserStore) -> Instructions:
    """The user's instructions."""
    [value] = await store.get("profile", KEY)
    return Instructions() if value is None else Instructions.model_validate(value)


async def forgetting_write(store: UserStore, episode_ids: Collection[str]) -> StoreWrite:
    """The write that takes these episodes out of the record."""
    remaining = (await read_instructions(store)).without(episode_ids)
    return ("profile", KEY, remaining.stored())


def of_known_size(known: Iterable[Instruction]) -> list[Instruction]:
    """The instructions that were used last, as many as the record has room for."""
    by_use = sorted(known, key=lambda each: max(seen.at for seen in each.sharing))
    return by_use[-MOST_KNOWN:]


def _edge_hash(folded: Sequence[str]) -> int:
    return _hash(folded[:LEAST_WORDS]) if len(folded) > LEAST_WORDS else 0


def _hash(words: Sequence[str]) -> int:
    return zlib.crc32(" ".join(words).encode(errors="replace"))
