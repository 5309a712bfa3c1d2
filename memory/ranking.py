"""Ranking: the fusion of two scores, and the collapse of near-duplicates."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from personaagent.core.records import Episode
from personaagent.memory.index.protocol import Scores

RRF_K = 60
DUPLICATE_OVERLAP = 0.9
"""Two texts are near-duplicates if they share at least this part of their words (Jaccard)."""


def fuse(scores: Scores, limit: int) -> list[str]:
    """The ids of the ``limit`` best, best first, by reciprocal rank fusion: sum of 1 / (60 + rank).

    Ties, within a ranking and in the sum, go to the newer episode.
    Source: Cormack, Clarke and Büttcher, SIGIR 2009.
    """
    at = scores.at.tolist()
    fused: dict[int, float] = defaultdict(float)
    rankings = [] if scores.dense is None else [dict(enumerate(scores.dense.tolist()))]
    if scores.bm25 is not None:
        rankings.append({row: each for row, each in enumerate(scores.bm25.tolist()) if each > 0})
    for ranking in rankings:
        ranked = sorted(ranking, key=lambda row: (-ranking[row], -at[row]))
        for rank, row in enumerate(ranked[:limit], 1):
            fused[row] += 1 / (RRF_K + rank)
    best = sorted(fused, key=lambda row: (-fused[row], -at[row]))[:limit]
    return [scores.episode_ids[row] for row in best]


def collapse(episodes: Sequence[Episode], k: int) -> list[Episode]:
    """The first ``k`` episodes; of near-duplicates only the newest, at the rank of the first.

    Two episodes are near-duplicates if their queries are, and so are their ground truths (or, for
    lack of one, their responses).
    """
    distinct: list[_EpisodeWords] = []
    for words in map(_EpisodeWords, episodes):
        rank = next((i for i, other in enumerate(distinct) if words.duplicate(other)), None)
        if rank is None:
            distinct.append(words)
        elif words.episode.created_at > distinct[rank].episode.created_at:
            distinct[rank] = words
    return [words.episode for words in distinct[:k]]


@dataclass(frozen=True)
class _EpisodeWords:
    """The words of an episode, split once and only where they are needed."""

    episode: Episode

    @cached_property
    def query(self) -> set[str]:
        return _words(self.episode.query)

    @cached_property
    def answer(self) -> set[str]:
        return _words(self.episode.ground_truth or self.episode.response)

    def duplicate(self, other: "_EpisodeWords") -> bool:
        return _similar(self.query, other.query) and _similar(self.answer, other.answer)


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
