"""Recall: which of the user's episodes come to mind for a query."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from personaagent.core.records import Episode
from personaagent.memory.index.protocol import Hit, Ranking

RRF_K = 60
SAME = 0.9


def fuse(ranking: Ranking) -> list[str]:
    """The ids of the hits, best first, by reciprocal rank: the sum of 1 / (60 + rank).

    Ties, within a ranking and in the sum, go to the newer.
    Source: Cormack, Clarke and Büttcher, SIGIR 2009.
    """
    score: dict[Hit, float] = defaultdict(float)
    for hits in (ranking.dense, ranking.bm25):
        ranked = sorted(hits, key=lambda hit: (-hit.score, -hit.at))
        for rank, hit in enumerate(ranked, 1):
            score[hit] += 1 / (RRF_K + rank)
    return [hit.episode_id for hit in sorted(score, key=lambda hit: (-score[hit], -hit.at))]


def collapse(episodes: Sequence[Episode], k: int) -> list[Episode]:
    """The first ``k`` episodes; of near-duplicates only the newest, in the place of the first.

    Two episodes are near-duplicates if their queries share at least 0.9 of their words
    (Jaccard) and so do what the user wanted, or the responses.
    """
    kept: list[_Words] = []
    for words in map(_Words, episodes):
        twin = next((i for i, other in enumerate(kept) if words.near(other)), None)
        if twin is None:
            kept.append(words)
        elif words.episode.created_at > kept[twin].episode.created_at:
            kept[twin] = words
    return [words.episode for words in kept[:k]]


@dataclass(frozen=True)
class _Words:
    """The words of an episode, read only once and only where needed."""

    episode: Episode

    @cached_property
    def query(self) -> set[str]:
        return _words(self.episode.query)

    @cached_property
    def wanted(self) -> set[str]:
        return _words(self.episode.ground_truth or self.episode.response)

    def near(self, other: "_Words") -> bool:
        return _alike(self.query, other.query) and _alike(self.wanted, other.wanted)


def asks_the_same(one: str, other: str) -> bool:
    """Whether two queries share at least 0.9 of their words (Jaccard)."""
    return _alike(_words(one), _words(other))


def repeated(queries: Mapping[str, str], others: Iterable[str]) -> set[str]:
    """The keys of those ``queries`` that ask the same as one of ``others`` does."""
    known = [_words(each) for each in others]
    asked = {key: _words(query) for key, query in queries.items()}
    return {key for key, words in asked.items() if any(_alike(words, other) for other in known)}


def _alike(one: set[str], other: set[str]) -> bool:
    common = len(one & other)
    union = len(one) + len(other) - common
    return union == 0 or common / union >= SAME


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
