"""The protocol of an index of embeddings."""

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
    """One query text, embedded both ways. ``dense`` has the size of the model's vectors and length 1."""

    dense: list[float]
    sparse: SparseVector


@dataclass(frozen=True)
class Entry:
    """An episode in the index: its id, its time (Unix seconds) and embedding, but no text."""

    episode_id: str
    at: float
    embedding: Embedding


@dataclass(frozen=True)
class Hit:
    """An episode that a search found, with its time (Unix seconds). Equality ignores the score."""

    episode_id: str
    at: float
    score: float = field(compare=False)


@dataclass(frozen=True)
class Ranking:
    """Hits by the dense and by the BM25 score, best first; empty if that search was not requested."""

    dense: list[Hit]
    bm25: list[Hit]

    def without(self, episode_ids: Collection[str], limit: int) -> "Ranking":
        """The hits of other episodes, up to ``limit`` in each ranking."""
        dense, bm25 = (
            [hit for hit in hits if hit.episode_id not in episode_ids][:limit]
            for hits in (self.dense, self.bm25)
        )
        return Ranking(dense, bm25)


class EpisodeIndex(Protocol):
    """Embeddings of many users' episodes. Every call is scoped to one user by its ``user`` key.

    All calls raise ``IndexUnavailable`` if the index is down, held by another process, or damaged.
    BM25 uses the term statistics of that user's episodes only.
    """

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        """Add the entries, replacing those of the same episodes."""

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

        With ``before`` (Unix seconds), later episodes are treated as if they did not exist.
        """
        ...

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        """Remove these episodes for good: afterwards their vectors are no longer on the disk."""

    async def clear(self, user: str) -> None:
        """Remove all of the user's episodes for good."""

    async def has_entries(self, user: str) -> bool:
        """Whether any episode of the user is indexed; fast, however many there are."""
        ...

    async def count(self, user: str) -> int:
        """How many episodes of the user are indexed."""
        ...

    async def optimise(self) -> None:
        """Bring the files into their fastest shape, after many writes."""

    async def destroy(self) -> None:
        """Remove the whole index of all users, because it is damaged and will be rebuilt."""

    async def aclose(self) -> None:
        """Close files and connections."""


def point_id(user: str, episode_id: str) -> str:
    """The id of an episode's point: a UUID of user and episode, so that no two users share one."""
    return str(uuid5(uuid5(NAMESPACE_OID, user), episode_id))
