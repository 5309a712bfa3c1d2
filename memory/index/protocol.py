"""The protocol of an index of embeddings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Part = Literal["query", "response"]
"""A text of an episode."""
PARTS: tuple[Part, ...] = ("query", "response")
"""The parts by the number that stands for each in ``Scores.passages``."""

PassageSpan = tuple[Part, int, int]
"""A stretch of an episode's text: the part, its start and end (characters)."""


@dataclass(frozen=True)
class Passage:
    """A stretch of an episode's text that can be found by itself.

    ``start`` and ``end`` are offsets (characters) into ``part``. ``dense`` has length 1, or is None
    if the text cannot be embedded. ``terms`` are raw counts by the hash of each term.
    """

    part: Part
    start: int
    end: int
    dense: list[float] | None
    terms: dict[int, float]


@dataclass(frozen=True)
class Scores:
    """What a search computed: columns with one row for each episode, in no set order.

    The embedded index returns all of the user's episodes, Qdrant the best of each search.
    ``at`` is Unix seconds; ``thread`` numbers the conversations of the user (-1: none). ``dense``
    (cosine) and ``bm25`` are each the maximum over the episode's passages, and None if not asked
    for. Missing dense scores (Qdrant) are the lowest that was returned, missing BM25 scores 0.
    ``passages`` (n x 3) is the best passage: number of the part in ``PARTS``, start, end.
    """

    episode_ids: "NDArray[np.object_]"
    at: "NDArray[np.float64]"
    thread: "NDArray[np.int64]"
    dense: "NDArray[np.float32] | None"
    bm25: "NDArray[np.float32] | None"
    passages: "NDArray[np.int32]"

    def __len__(self) -> int:
        return len(self.episode_ids)

    def passage(self, row: int) -> tuple[Part, int, int]:
        """The best passage of this row: part, start and end."""
        part, start, end = self.passages[row].tolist()
        return PARTS[part], start, end


@dataclass(frozen=True)
class IndexQuery:
    """What is searched for.

    Args:
        dense: a vector of length 1; None asks for no dense scores.
        terms: how often each term is asked for, by its hash; None asks for no BM25 scores.
        limit: how many of the best episodes are wanted.
        before: Unix seconds; episodes of then or later are treated as if they did not exist, in the
            term statistics too.
        hidden: ids of episodes that are treated likewise.
    """

    dense: list[float] | None
    terms: dict[int, float] | None
    limit: int
    before: float | None = None
    hidden: Collection[str] = ()


class Hit(NamedTuple):
    """An episode that was found: its best passage, and what the store holds of it (None: nothing)."""

    episode_id: str
    passage: PassageSpan
    stored: dict[str, Any] | None


@dataclass(frozen=True)
class Found:
    """The best episodes, best first, out of so many that were ``searched``."""

    searched: int
    hits: Sequence[Hit]


@dataclass(frozen=True)
class Entry:
    """An episode in the index: its id, its time (Unix seconds), its conversation (or None), and its
    passages, of which there is at least one."""

    episode_id: str
    at: float
    thread: str | None
    passages: Sequence[Passage]


class EpisodeIndex(Protocol):
    """Embeddings of many users' episodes. Every call is scoped to one user by its ``user`` key.

    ``kind`` says where it is. All calls raise ``IndexUnavailable`` if the index is down or damaged.
    BM25 uses the term statistics of that user's passages only.
    """

    kind: str

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        """Add the entries, replacing those of the same episodes."""

    async def search(self, user: str, query: IndexQuery) -> Scores:
        """The scores of the user's episodes: of all of them, or of the best by each score."""
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

    async def count_of(self, user: str, episode_ids: Collection[str]) -> int:
        """How many of these episodes of the user are indexed."""
        ...

    async def aclose(self) -> None:
        """Close files and connections."""
