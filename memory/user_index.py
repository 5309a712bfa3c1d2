"""One user's part of the index, and the embedding model that it was built with."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from personaagent.core.errors import EmbeddingsChanged, IndexDamaged
from personaagent.memory.index.protocol import Entry, EpisodeIndex, Hit, SparseVector
from personaagent.memory.user_store import UserStore


@dataclass(frozen=True)
class UserIndex:
    """The index of one user's episodes, for the embedding model ``model``.

    The store records the model that the user's index was built with, because vectors of two models
    cannot be compared. ``index_of`` returns the index of all users for a model.
    """

    store: UserStore
    model: str
    index_of: Callable[[str], EpisodeIndex]

    async def check_model(self) -> bool:
        """Whether the user has an index; if so, it was built with the model in use.

        Raises:
            EmbeddingsChanged: it was built with another one.
        """
        built_with = await self._built_with()
        if built_with not in (None, self.model):
            raise EmbeddingsChanged(
                f"The memory of '{self.store.user_id}' is indexed with {built_with}, but the "
                f"embedding model is now {self.model}: run `personaagent memory reindex`."
            )
        return built_with is not None

    async def record_model(self) -> None:
        """Record that the index is built with the model in use."""
        await self.store.write([("index", "state", {"embeddings": self.model})])

    async def is_empty(self) -> bool:
        """Whether no episode of the user is indexed."""
        return not await self._index.has_entries(self.store.key)

    async def upsert(self, entries: Sequence[Entry]) -> None:
        """Add these entries, replacing those of the same episodes."""
        await self._index.upsert(self.store.key, entries)

    async def search_dense(
        self, vector: list[float], limit: int, before: float | None
    ) -> list[Hit]:
        """The ``limit`` nearest episodes by embedding, of a time ``before`` (Unix seconds)."""
        ranking = await self._index.search(
            self.store.key, dense=vector, bm25=None, limit=limit, before=before
        )
        return ranking.dense

    async def search_bm25(self, terms: SparseVector, limit: int, before: float | None) -> list[Hit]:
        """The ``limit`` nearest episodes by BM25, of a time ``before`` (Unix seconds)."""
        ranking = await self._index.search(
            self.store.key, dense=None, bm25=terms, limit=limit, before=before
        )
        return ranking.bm25

    async def optimise(self) -> None:
        """Bring the index into its fastest shape, after many writes."""
        await self._index.optimise()

    async def delete(self, episode_ids: Collection[str]) -> int:
        """Remove the embeddings of these episodes for good; returns how many there were.

        Raises:
            IndexUnavailable: the index is down or held; nothing was removed.
        """
        index = await self._built_index()
        if index is None:
            return 0
        before = await index.count(self.store.key)
        await index.delete(self.store.key, episode_ids)
        after = await index.count(self.store.key)
        if after == 0:
            await self._forget_model()
        return before - after

    async def delete_all(self) -> int:
        """Remove all of the user's embeddings for good; returns how many there were.

        Raises:
            IndexUnavailable: the index is down or held; nothing was removed.
        """
        index = await self._built_index()
        if index is None:
            return 0
        count = await index.count(self.store.key)
        await index.clear(self.store.key)
        return count

    async def reset(self) -> None:
        """Make the user's index empty. One that is damaged is removed, with that of all users."""
        for model in {await self._built_with() or self.model, self.model}:
            try:
                await self.index_of(model).clear(self.store.key)
            except IndexDamaged:
                await self.index_of(model).destroy()
        await self._forget_model()

    @property
    def _index(self) -> EpisodeIndex:
        return self.index_of(self.model)

    async def _built_index(self) -> EpisodeIndex | None:
        """The index that holds the user's episodes, whichever model it was built with."""
        built_with = await self._built_with()
        return None if built_with is None else self.index_of(built_with)

    async def _built_with(self) -> str | None:
        [state] = await self.store.get("index", "state")
        return None if state is None else str(state["embeddings"])

    async def _forget_model(self) -> None:
        await self.store.write([("index", "state", None)])
