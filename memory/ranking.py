"""Ranking: ties within one ranking, the fusion of two, and the collapse of near-duplicates."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from personaagent.core.records import Episode
from personaagent.memory.index.protocol import Hit, Ranking

RRF_K = 60
DUPLICATE_OVERLAP = 0.9
"""Two texts are near-duplicates if they share at least this part of their words (Jaccard)."""


async def best_hits(search: Callable[[int], Awaitable[list[Hit]]], limit: int) -> list[Hit]:
    """The ``limit`` best hits of one ranking; of those with the same score, the newest.

    An index returns an arbitrary choice of hits with the same score. So ask for more of them until
    none with the last score can be missing.
    """
    wider = limit + 1
    while True:
        hits = sorted(await search(wider), key=lambda hit: (-hit.score, -hit.at, hit.episode_id))
        if len(hits) < wider or hits[-1].score < hits[limit - 1].score:
            return hits[:limit]
        wider *= 2


def fuse(ranking: Ranking) -> list[str]:
    """The ids of the hits, best first, by reciprocal rank fusion: the sum of 1 / (60 + rank).

    Ties, within a ranking and in the sum, go to the newer episode.
    Source: Cormack, Clarke and Büttcher, SIGIR 2009.
    """
    score: dict[Hit, float] = defaultdict(float)
    for hits in (ranking.dense, ranking.bm25):
        ranked = sorted(hits, key=lambda hit: (-hit.score, -hit.at))
        for rank, hit in enumerate(ranked, 1):
            score[hit] += 1 / (RRF_K + rank)
    return [hit.episode_id for hit in sorted(score, key=lambda hit: (-score[hit], -hit.at))]


def collapse(episodes: Sequence[Episode], k: int, *, answers: bool = True) -> list[Episode]:
    """The first ``k`` episodes; of near-duplicates only the newest, at the rank of the first.

    Two episodes are near-duplicates if their queries are, and so are their ground truths (or, for
    lack of one, their responses). If unconfirmed ``answers`` are not shown, an episode without
    ground truth tells nothing but its query, and stands behind one that has it.
    """
    distinct: list[_EpisodeWords] = []
    for words in (_EpisodeWords(episode, answers) for episode in episodes):
        rank = next((i for i, other in enumerate(distinct) if words.duplicate(other)), None)
        if rank is None:
            distinct.append(words)
        elif words.precedence > distinct[rank].precedence:
            distinct[rank] = words
    return [words.episode for words in distinct[:k]]


@dataclass(frozen=True)
class _EpisodeWords:
    """The words of an episode, split once and only where they are needed."""

    episode: Episode
    answers: bool

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
        if not _similar(self.query, other.query):
            return False
        both_tell = self.tells_answer and other.tells_answer
        return not both_tell or _similar(self.answer, other.answer)


def same_query(one: str, other: str) -> bool:
    """Whether two queries are near-duplicates."""
    return _similar(_words(one), _words(other))


def repeated_queries(queries: Mapping[str, str], others: Iterable[str]) -> set[str]:
    """The keys of those ``queries`` that are near-duplicates of one of ``others``."""
    other_words = [_words(query) for query in others]
    query_words = {key: _words(query) for key, query in queries.items()}
    return {
        key
        for key, words in query_words.items()
        if any(_similar(words, other) for other in other_words)
    }


def _similar(one: set[str], other: set[str]) -> bool:
    shared = len(one & other)
    union = len(one) + len(other) - shared
    return union == 0 or shared / union >= DUPLICATE_OVERLAP


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
