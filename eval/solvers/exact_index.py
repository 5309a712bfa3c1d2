"""An index in memory: for cases, which are small and soon over.

A shard on the disk for each would cost more than all else that a method does.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personaagent.memory.index.protocol import Entry, Hit, Ranking, SparseVector

if TYPE_CHECKING:
    from personaagent.scorecard.bootstrap import Array


class ExactIndex:
    """An ``EpisodeIndex`` that ranks as Qdrant does: by cosine, and by BM25 with its idf."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Known]] = {}

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        own = self._known.setdefault(user, {})
        own.update((entry.episode_id, Known.of(entry)) for entry in entries)

    async def search(
        self,
        user: str,
        *,
        dense: list[float] | None,
        bm25: SparseVector | None,
        limit: int,
        before: float | None = None,
    ) -> Ranking:
        own = self._known.get(user, {}).values()
        known = [each for each in own if before is None or each.at < before]
        return Ranking(
            dense=_best(_by_meaning(known, dense), limit) if dense is not None and known else [],
            bm25=_best(_by_words(known, bm25), limit) if bm25 is not None else [],
        )

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        for each in episode_ids:
            self._known.get(user, {}).pop(each, None)

    async def clear(self, user: str) -> None:
        self._known.pop(user, None)

    async def has_entries(self, user: str) -> bool:
        return await self.count(user) > 0

    async def count(self, user: str) -> int:
        return len(self._known.get(user, {}))

    async def optimise(self) -> None:
        """It has but one shape."""

    async def destroy(self) -> None:
        self._known.clear()

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Known:
    """An entry, as it is searched; its terms by their hash."""

    id: str
    at: float
    dense: "Array"
    terms: dict[int, float]

    @classmethod
    def of(cls, entry: Entry) -> "Known":
        sparse = entry.embedding.sparse
        terms = dict(zip(sparse.indices, sparse.values, strict=True))
        return cls(entry.episode_id, entry.at, np.array(entry.embedding.dense), terms)


def _by_meaning(known: Sequence[Known], query: list[float]) -> list[Hit]:
    """The cosine of each; all are of unit length."""
    scores = np.array([each.dense for each in known]) @ np.array(query)
    return [
        Hit(each.id, each.at, score) for each, score in zip(known, scores.tolist(), strict=True)
    ]


def _by_words(known: Sequence[Known], query: SparseVector) -> list[Hit]:
    """BM25 of each that has a term of the query (Robertson and Zaragoza 2009)."""
    having = Counter(term for each in known for term in query.indices if term in each.terms)
    idf = {n: np.log1p((len(known) - n + 0.5) / (n + 0.5)) for n in set(having.values())}
    weights = {
        term: weight * idf[having[term]]
        for term, weight in zip(query.indices, query.values, strict=True)
        if term in having
    }
    return [
        Hit(each.id, each.at, float(sum(each.terms[term] * weights[term] for term in shared)))
        for each in known
        if (shared := [term for term in weights if term in each.terms])
    ]


def _best(hits: Sequence[Hit], limit: int) -> list[Hit]:
    return sorted(hits, key=lambda hit: -hit.score)[:limit]
