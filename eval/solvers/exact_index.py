"""An index in memory for samples, which are small and short-lived.

A shard on disk for each sample would cost more than everything else that a solver does.
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
        self._users: dict[str, dict[str, IndexedEntry]] = {}

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        indexed = self._users.setdefault(user, {})
        indexed.update((entry.episode_id, IndexedEntry.of(entry)) for entry in entries)

    async def search(
        self,
        user: str,
        *,
        dense: list[float] | None,
        bm25: SparseVector | None,
        limit: int,
        before: float | None = None,
    ) -> Ranking:
        indexed = self._users.get(user, {}).values()
        earlier = [entry for entry in indexed if before is None or entry.at < before]
        return Ranking(
            dense=_best(_rank_dense(earlier, dense), limit)
            if dense is not None and earlier
            else [],
            bm25=_best(_rank_bm25(earlier, bm25), limit) if bm25 is not None else [],
        )

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        for episode_id in episode_ids:
            self._users.get(user, {}).pop(episode_id, None)

    async def clear(self, user: str) -> None:
        self._users.pop(user, None)

    async def has_entries(self, user: str) -> bool:
        return await self.count(user) > 0

    async def count(self, user: str) -> int:
        return len(self._users.get(user, {}))

    async def optimise(self) -> None:
        """Do nothing: the index needs no optimisation."""

    async def destroy(self) -> None:
        self._users.clear()

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""


@dataclass(frozen=True)
class IndexedEntry:
    """An entry as it is searched; the weight of each term is stored by the hash of the term."""

    id: str
    at: float
    dense: "Array"
    terms: dict[int, float]

    @classmethod
    def of(cls, entry: Entry) -> "IndexedEntry":
        sparse = entry.embedding.sparse
        terms = dict(zip(sparse.indices, sparse.values, strict=True))
        return cls(entry.episode_id, entry.at, np.array(entry.embedding.dense), terms)


def _rank_dense(entries: Sequence[IndexedEntry], query: list[float]) -> list[Hit]:
    """The cosine of each entry; all vectors are of unit length."""
    scores = (np.array([entry.dense for entry in entries]) @ np.array(query)).tolist()
    return [Hit(entry.id, entry.at, score) for entry, score in zip(entries, scores, strict=True)]


def _rank_bm25(entries: Sequence[IndexedEntry], query: SparseVector) -> list[Hit]:
    """BM25 of each entry that has a term of the query (Robertson and Zaragoza 2009)."""
    frequencies = Counter(
        term for entry in entries for term in query.indices if term in entry.terms
    )
    idf = {
        term: np.log1p((len(entries) - frequency + 0.5) / (frequency + 0.5))
        for term, frequency in frequencies.items()
    }
    weights = {
        term: weight * idf[term]
        for term, weight in zip(query.indices, query.values, strict=True)
        if term in idf
    }
    return [
        Hit(entry.id, entry.at, float(sum(entry.terms[term] * weights[term] for term in shared)))
        for entry in entries
        if (shared := [term for term in weights if term in entry.terms])
    ]


def _best(hits: Sequence[Hit], limit: int) -> list[Hit]:
    return sorted(hits, key=lambda hit: -hit.score)[:limit]
