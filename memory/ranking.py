"""Ranking of episodes: repeats collapse, and the newest is not crowded out."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import ceil
from typing import NamedTuple

from personaagent.core.records import Episode

CROWD = 4
"""Of the k + k / 4 best, the newest is always recalled."""
DUPLICATE_OVERLAP = 0.9
"""Two texts are near-duplicates if they share at least this part of their words (Jaccard)."""


def collapse(
    episodes: Sequence[Episode],
    *,
    answers: bool = True,
    differing: Callable[[str], str] = lambda query: query,
) -> list[Episode]:
    """The episodes; of near-duplicates only the newest, at the rank of the first.

    Two episodes are near-duplicates if their queries are, and so are their ground truths (or, for
    lack of one, their responses). Two queries that share an instruction are so only if what is
    ``differing`` in them is alike, too. If unconfirmed ``answers`` are not shown, an episode without
    ground truth tells nothing but its query, and stands behind one that has it.
    """
    distinct: list[_EpisodeWords] = []
    ranks: dict[str, set[int]] = defaultdict(set)
    for words in (_EpisodeWords(episode, answers, differing) for episode in episodes):
        signs = _signs(words.query)
        alike = sorted(set[int]().union(*(ranks[sign] for sign in signs)))
        rank = next((i for i in alike if words.duplicate(distinct[i])), None)
        if rank is None:
            rank = len(distinct)
            distinct.append(words)
        elif words.precedence > distinct[rank].precedence:
            distinct[rank] = words
        for sign in signs:
            ranks[sign].add(rank)
    return [words.episode for words in distinct]


def _signs(words: set[str]) -> list[str]:
    """Some of the words, of which near-duplicates have at least one in common (a prefix filter: Bayardo,
    Ma and Srikant, "Scaling Up All Pairs Similarity Search", WWW 2007)."""
    differing = len(words) - ceil(DUPLICATE_OVERLAP * len(words) - 1e-9)
    return sorted(words)[: differing + 1] or [""]


def keep_newest(episodes: Sequence[Episode], k: int) -> list[Episode]:
    """``episodes`` (best first) with the newest of the first k + k / 4 among the first ``k``.

    Nine older hits that say the same in the words of the question would crowd out the newest, which
    may say that it is no longer so.
    """
    crowd = episodes[: k + k // CROWD]
    if len(crowd) <= k:
        return [*episodes]
    newest = max(range(len(crowd)), key=lambda place: crowd[place].created_at)
    others = [episode for place, episode in enumerate(episodes) if place != newest]
    return [*episodes] if newest < k else [*others[: k - 1], episodes[newest], *others[k - 1 :]]


@dataclass(frozen=True)
class _EpisodeWords:
    """The words of an episode, split once and only where they are needed."""

    episode: Episode
    answers: bool
    differing: Callable[[str], str]

    @cached_property
    def differs(self) -> set[str]:
        return _words(self.differing(self.episode.query))

    @cached_property
    def query(self) -> set[str]:
        return _words(self.episode.query)

    @cached_property
    def answer(self) -> set[str]:
        return _words(self.episode.ground_truth or self.episode.response)

    @property
    def tells_answer(self) -> bool:
        return self.answers or self.episode.labelled

    @property
    def precedence(self) -> tuple[bool, datetime]:
        return self.tells_answer, self.episode.created_at

    def duplicate(self, other: "_EpisodeWords") -> bool:
        if not (_similar(self.query, other.query) and _similar(self.differs, other.differs)):
            return False
        both_tell = self.tells_answer and other.tells_answer
        return not both_tell or _similar(self.answer, other.answer)


def whole(query: str) -> str:
    """The query itself: what differs in it where it shares no instruction with others."""
    return query


def same_query(one: str, other: str, differing: Callable[[str], str] = whole) -> bool:
    """Whether two queries are near-duplicates, as a whole and in what differs.

    ``differing`` returns what differs in a query from others of its task
    (``Instructions.differing``): two questions are not one because they share a long instruction.
    """
    return _QueryWords.of(one, differing).similar(_QueryWords.of(other, differing))


def repeated_queries(
    queries: Mapping[str, str],
    others: Iterable[str],
    differing: Callable[[str], str] = whole,
) -> set[str]:
    """The keys of those ``queries`` that are near-duplicates of one of ``others``, as in
    ``same_query``."""
    other_words = [_QueryWords.of(query, differing) for query in others]
    query_words = {key: _QueryWords.of(query, differing) for key, query in queries.items()}
    return {
        key
        for key, words in query_words.items()
        if any(words.similar(other) for other in other_words)
    }


class _QueryWords(NamedTuple):
    query: set[str]
    differs: set[str]

    @classmethod
    def of(cls, query: str, differing: Callable[[str], str]) -> "_QueryWords":
        return cls(_words(query), _words(differing(query)))

    def similar(self, other: "_QueryWords") -> bool:
        return _similar(self.query, other.query) and _similar(self.differs, other.differs)


def _similar(one: set[str], other: set[str]) -> bool:
    words, others = len(one), len(other)
    if words < DUPLICATE_OVERLAP * others or others < DUPLICATE_OVERLAP * words:
        return False
    shared = len(one & other)
    return shared >= DUPLICATE_OVERLAP * (words + others - shared)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
