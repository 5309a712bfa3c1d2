"""One user's part of the index, and the embedding model that it was built with."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from personaagent.core.errors import EmbeddingsChanged, Forgotten
from personaagent.memory.fusion import best_passages
from personaagent.memory.index.protocol import Entry, EpisodeIndex, Found, Hit, IndexQuery, Scores
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.user_store import StoredValue, StoreWrite, UserStore

VERSION = 2
"""Of what the index holds of a text: raise it when terms or passages change, and all indexes are
built anew."""


@dataclass(frozen=True)
class UserIndex:
    """The index of one user's episodes, for the embedding model ``model``.

    The store records where and with which model the user's index was built, because vectors of two
    models cannot be compared. ``index_of`` returns the index of all users for a model. ``in_store``:
    the index is in the store's own database, so an episode and its rows are written together.
    """

    store: UserStore
    model: str
    index_of: Callable[[str], EpisodeIndex]
    in_store: bool = False

    async def check_model(self) -> bool:
        """Whether the user has an index here; if so, it was built with the model in use.

        Raises:
            EmbeddingsChanged: it was built with another one.
        """
        state = await self._state()
        if state is None or {**state, "embeddings": self.model} != self._current_state:
            return False  # there is none, or an earlier version of the program built it
        built_with = str(state["embeddings"])
        if built_with == self.model:
            return True
        if await self.index_of(built_with).has_entries(self.store.key):
            raise EmbeddingsChanged(
                f"The memory of '{self.store.user_id}' is indexed with {built_with}, but the "
                f"embedding model is now {self.model}: run `personaagent memory reindex`."
            )
        return False

    def state_write(self) -> StoreWrite:
        """The write that records that the index is built, here and with the model in use."""
        return ("index", "state", self._current_state)

    async def is_empty(self) -> bool:
        """Whether no episode of the user is indexed."""
        return not await self._index.has_entries(self.store.key)

    async def upsert(self, entries: Sequence[Entry], writes: Sequence[StoreWrite] = ()) -> None:
        """Add these entries, replacing those of the same episodes, and do these writes: in one
        transaction if the index is in the store, else afterwards. What was forgotten meanwhile is
        not added.

        Raises:
            Forgotten: the whole user was.
        """
        writes = [*writes, self.state_write()]
        if self.in_store:
            await self.store.write(writes, entries=entries)
            return
        ids = [entry.episode_id for entry in entries]
        await self._index.upsert(self.store.key, entries)
        try:
            await self.store.write(writes)
        except Forgotten:
            await self._index.delete(self.store.key, ids)
            raise
        stored = await self.store.get("episodes", *ids)
        if gone := [id for id, value in zip(ids, stored, strict=True) if value is None]:
            await self._index.delete(self.store.key, gone)

    async def clear(self) -> None:
        """Remove what a writer has left in an index outside of the store, after all was deleted.

        Raises:
            IndexUnavailable: the index is down.
        """
        if not self.in_store:
            await self._index.clear(self.store.key)

    async def search(self, query: IndexQuery) -> Scores:
        """The scores of the user's episodes: see ``EpisodeIndex.search``."""
        return await self._index.search(self.store.key, query)

    async def find(self, query: IndexQuery) -> Found:
        """The best episodes, as ``fusion.rank`` ranks them, with what the store holds of
        them: in one trip, if the index is in the store."""
        index = self._index
        if self.in_store and isinstance(index, SqliteIndex):
            with storage_errors():
                return await index.find(self.store.key, query)
        scores = await self.search(query)
        passages = best_passages(scores, query.limit)
        stored = await self.store.get("episodes", *passages)
        hits = [
            Hit(id, passage, value)
            for (id, passage), value in zip(passages.items(), stored, strict=True)
        ]
        return Found(len(scores), hits)

    async def delete(self, episode_ids: Collection[str]) -> int:
        """Remove these episodes from the index for good, unless it is in the store: then they go in
        the transaction that deletes the episodes. Returns how many were indexed.

        Raises:
            IndexUnavailable: the index is down; nothing was removed.
        """
        index = await self._built_index()
        if index is None:
            return 0
        count = await index.count_of(self.store.key, episode_ids)
        if not self.in_store:
            await index.delete(self.store.key, episode_ids)
        return count

    async def delete_all(self) -> int:
        """Remove all of the user's episodes, as ``delete`` does; returns how many were indexed.

        Raises:
            IndexUnavailable: the index is down; nothing was removed.
        """
        index = await self._built_index()
        if index is None:
            return 0
        count = await index.count(self.store.key)
        if not self.in_store:
            await index.clear(self.store.key)
        return count

    async def reset(self) -> None:
        """Make the user's index empty."""
        state = await self._state()
        for model in {self.model if state is None else str(state["embeddings"]), self.model}:
            await self.index_of(model).clear(self.store.key)
        await self.store.write([("index", "state", None)])

    @property
    def _index(self) -> EpisodeIndex:
        return self.index_of(self.model)

    @property
    def _current_state(self) -> StoredValue:
        return {"embeddings": self.model, "index": self._index.kind, "version": VERSION}

    async def _built_index(self) -> EpisodeIndex | None:
        """The index that holds the user's episodes, whichever model it was built with."""
        state = await self._state()
        return None if state is None else self.index_of(str(state["embeddings"]))

    async def _state(self) -> StoredValue | None:
        [state] = await self.store.get("index", "state")
        return state
