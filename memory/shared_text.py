"""Shared text: the words that several texts begin or end with, such as a task's instruction."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from personaagent.memory.terms import UNSPACED

Side = Literal["leading", "trailing"]

LEAST_WORDS = 6
"""Fewer shared words are chance."""
LEAST_TEXTS = 3
MOST_WORDS = 200
"""A longer text is no instruction but what the queries are about, such as a document."""
_WORDS = re.compile(f"[{UNSPACED}]{{1,2}}|[^\\s{UNSPACED}]+")


class Words:
    """The words of a text, to be compared from one side. Of scripts without spaces, pairs of
    characters count as words."""

    def __init__(self, text: str, side: Side) -> None:
        self.text, self.side = text, side
        found = [*_WORDS.finditer(text)]
        self._spans = [match.span() for match in (found if side == "leading" else found[::-1])]

    def __len__(self) -> int:
        return len(self._spans)

    @cached_property
    def folded(self) -> list[str]:
        """The words without case, from the side on."""
        return [self.text[start:end].casefold() for start, end in self._spans]

    def edge(self, count: int) -> int:
        """Where the ``count`` words at this side end (characters), seen from the side."""
        start, end = self._spans[count - 1]
        return end if self.side == "leading" else start

    def first(self, count: int) -> str:
        """The text of the ``count`` words at this side."""
        edge = self.edge(count)
        return (self.text[:edge] if self.side == "leading" else self.text[edge:]).strip()

    def share(self, other: "Words") -> bool:
        """Whether the text has all words of ``other`` at this side, and more."""
        return len(self) > len(other) and self.folded[: len(other)] == other.folded


class Group(NamedTuple):
    """Texts that share ``words`` words at one side; ``members`` are their numbers."""

    words: int
    members: list[int]


def groups(texts: Sequence[Words], least: int = LEAST_TEXTS) -> list[Group]:
    """The groups of at least ``least`` texts that share something at their side, and differ then.

    Of all shared texts, the one comes first that would save most words if it were written once,
    unless several longer ones among the same texts save more. So neither a word that a few have by
    chance nor another text that begins alike decides what is shared.
    """
    found = _groups(texts, range(len(texts)), LEAST_WORDS, least)
    return [group for group in found if group.words <= MOST_WORDS]


def _groups(
    texts: Sequence[Words], numbers: Sequence[int], shortest: int, least: int
) -> list[Group]:
    found: list[Group] = []
    left = [*numbers]
    while group := _best(texts, left, shortest, least):
        finer = _groups(texts, group.members, group.words + 1, least)
        found += finer if sum(map(saved_words, finer)) > saved_words(group) else [group]
        left = [number for number in left if number not in group.members]
    return found


def _best(
    texts: Sequence[Words], numbers: Sequence[int], shortest: int, least: int
) -> Group | None:
    sharing: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number in numbers:
        prefix = 0
        for count, word in enumerate(texts[number].folded[:-1][: MOST_WORDS + 1], start=1):
            prefix = hash((prefix, word))
            if count >= shortest:
                sharing[count, prefix].append(number)
    candidates = [
        Group(count, members) for (count, _), members in sharing.items() if len(members) >= least
    ]
    return max(candidates, key=saved_words, default=None)


def saved_words(group: Group) -> int:
    """How many words are saved if the shared text is written once."""
    return group.words * (len(group.members) - 1)
