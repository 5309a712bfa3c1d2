"""What an index of embeddings must do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5


@dataclass(frozen=True)
class SparseVector:
    """Weights of the terms of a text, by the hash of each term (BM25)."""

    indices: list[int]
    values: list[float]


@dataclass(frozen=True)
class Embedding:
    """One query text, embedded both ways. ``dense`` has the embedding model's size, unit length."""

    dense: list[float]
    sparse: SparseVector


@dataclass(frozen=True)
class Entry:
    """What the index keeps of an episode: its id, its time (Unix seconds) and embedding. No text."""

    episode_id: str
    at: float
    embedding: Embedding


@dataclass(frozen=True)
class Hit:
    """An episode that was found, with its time (Unix seconds); equal whatever its score."""

    episode_id: str
    at: float
    score: float = field(compare=False)


@dataclass(frozen=True)
class Ranking:
    """Hits by the dense and by the BM25 score, best first; empty where not asked for."""

    dense: list[Hit]
    bm25: list[Hit]

    def without(self, episode_ids: Collection[str], limit: int) -> "Ranking":
        """The other hits, up to ``limit`` in each ranking, as if these had never been found."""
        dense, bm25 = (
            [hit for hit in hits if hit.episode_id not in episode_ids][:limit]
            for hits in (self.dense, self.bm25)
        )
        return Ranking(dense, bm25)


class EpisodeIndex(Protocol):
    """Embeddings of many users' episodes. Every call is scoped to one user by its ``user`` key.

    All raise ``IndexUnavailable`` when the index is down, held by another process, or damaged.
    BM25's term statistics are those of the user's own episodes alone.
    """

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        """Add the entries, in place of what was there for the same episodes."""

    async def search(
        self,
        user: str,
        *,
        dense: list[float] | None,
        bm25: SparseVector | None,
        limit: int,
        before: float | None = None,
    ) -> Ranking:
        """The user's nearest episodes, up to ``limit`` in each ranking.

        With ``before`` (Unix seconds) all is as if there were only the episodes of an earlier time.
        """

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        """Take these episodes out for good: their vectors are no longer on the disk after it."""

    async def clear(self, user: str) -> None:
        """Take all of the user's episodes out for good."""

    async def has_entries(self, user: str) -> bool:
        """Whether any episode of the user is indexed; quick, however many are."""

    async def count(self, user: str) -> int:
        """How many episodes of the user are indexed."""

    async def optimise(self) -> None:
        """Bring the files into their fastest shape, after much was written."""

    async def destroy(self) -> None:
        """Remove the whole index, of all users: for one that is damaged and will be rebuilt."""

    async def aclose(self) -> None:
        """Let go of files and connections."""


def point_id(user: str, episode_id: str) -> str:
    """The point of an episode: a UUID of user and episode, so that no user meets another's."""
    return str(uuid5(uuid5(NAMESPACE_OID, user), episode_id))
