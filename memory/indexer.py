"""Keeps the index in step with a user's episodes in the store."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from personaagent.core.errors import EmbeddingsChanged, IndexDamaged
from personaagent.core.records import Episode
from personaagent.core.settings import RecallMode
from personaagent.memory.episodes import Episodes
from personaagent.memory.index.bm25 import Bm25
from personaagent.memory.index.protocol import Embedding, Entry, EpisodeIndex, Hit, Ranking
from personaagent.memory.user_store import UserStore
from personaagent.models.embeddings import Embedder

BATCH = 64
Progress = Callable[[int, int], None]
"""Called with how many are done, and how many are to be."""


@dataclass(frozen=True)
class Indexer:
    """The index of one user's episodes: the embedding of each query text (paper: f_enc).

    What is to be indexed bears the mark ``unindexed`` in the store, so that an episode written
    while the index was down is indexed later, by whoever comes next.
    """

    space: UserStore
    episodes: Episodes
    embedder: Embedder
    bm25: Bm25
    index_of: Callable[[str], EpisodeIndex]

    async def refresh(self, limit: int = BATCH, progress: Progress | None = None) -> int:
        """Index up to ``limit`` marked episodes; returns how many were done.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
            IndexUnavailable: the index is down; the marks stay.
        """
        done = 0
        while done < limit:
            marked = await self.space.some("unindexed", min(BATCH, limit - done))
            if not marked:
                break
            await self.index(await self.episodes.find(marked), marked)
            done += len(marked)
            if progress:
                progress(done, limit)
        return done

    async def index(self, episodes: Sequence[Episode], marked: Sequence[str]) -> None:
        """Index these episodes, then take away the marks of the ids ``marked``.

        Raises:
            EmbeddingsChanged, IndexUnavailable: as ``refresh``; the marks stay.
        """
        await self._claim()
        await self._write(episodes)
        await self.space.write(("unindexed", key, None) for key in marked)

    async def search(
        self, query: str, *, limit: int, mode: RecallMode, before: datetime | None = None
    ) -> Ranking:
        """The user's nearest episodes (older than ``before``) in each ranking that ``mode`` asks for,
        once those that bear the mark are indexed.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
            IndexUnavailable: the index is down, or its files are gone.
        """
        caught_up, built = await asyncio.gather(self.refresh(), self.check())
        if not (caught_up or built):
            return Ranking([], [])
        until = None if before is None else before.timestamp()
        dense, bm25 = await asyncio.gather(
            self._nearest_by_meaning(query, limit, until) if mode != "bm25" else _nothing(),
            self._nearest_by_words(query, limit, until) if mode != "dense" else _nothing(),
        )
        if not (dense or bm25) and await self._is_empty():
            raise IndexDamaged(
                "the index holds nothing of this user any more: run `personaagent memory reindex`."
            )
        return Ranking(dense, bm25)

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Index all of the user's episodes anew, with the embedding model set now.

        An index that is damaged is removed first; other users of it are told to do the same.
        """
        await self._clear()
        count = await self._mark_all()
        await self.refresh(count, progress)
        await self._index.settle()
        return count

    async def forget(self, episode_ids: Collection[str]) -> int:
        """Take the embeddings of these episodes out for good; returns how many there were.

        Raises:
            IndexUnavailable: the index is down or held; nothing was taken out.
        """
        index = await self._built_index()
        if index is None:
            return 0
        before = await index.count(self.space.key)
        await index.delete(self.space.key, episode_ids)
        after = await index.count(self.space.key)
        if after == 0:
            await self.space.write([("index", "state", None)])
        return before - after

    async def forget_all(self) -> int:
        """Take all of the user's embeddings out for good; returns how many there were.

        Raises:
            IndexUnavailable: the index is down or held; nothing was taken out.
        """
        index = await self._built_index()
        if index is None:
            return 0
        count = await index.count(self.space.key)
        await index.clear(self.space.key)
        return count

    async def check(self) -> bool:
        """Whether anything was indexed; it can be compared with what will be.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
        """
        built_with = await self._built_with()
        if built_with not in (None, self.embedder.name):
            raise EmbeddingsChanged(
                f"The memory of '{self.space.user_id}' is indexed with {built_with}, but the "
                f"embedding model is now {self.embedder.name}: run `personaagent memory reindex`."
            )
        return built_with is not None

    async def settle(self) -> None:
        """Bring the index into its fastest shape, after much was written."""
        await self._index.settle()

    @property
    def _index(self) -> EpisodeIndex:
        return self.index_of(self.embedder.name)

    async def _write(self, episodes: Sequence[Episode]) -> None:
        dense = await self.embedder.embed([episode.query for episode in episodes])
        entries = [
            Entry(
                episode.id,
                episode.created_at.timestamp(),
                Embedding(vector, self.bm25.document(episode.query)),
            )
            for episode, vector in zip(episodes, dense, strict=True)
        ]
        await self._index.upsert(self.space.key, entries)

    async def _nearest_by_meaning(self, query: str, limit: int, before: float | None) -> list[Hit]:
        [dense] = await self.embedder.embed([query])
        search = partial(self._index.search, self.space.key, dense=dense, bm25=None, before=before)
        return await _nearest(lambda wide: search(limit=wide), limit)

    async def _nearest_by_words(self, query: str, limit: int, before: float | None) -> list[Hit]:
        bm25 = self.bm25.query(query)
        search = partial(self._index.search, self.space.key, dense=None, bm25=bm25, before=before)
        return await _nearest(lambda wide: search(limit=wide), limit)

    async def _built_index(self) -> EpisodeIndex | None:
        """The index that holds the user's episodes, whichever embedding model it was built with."""
        built_with = await self._built_with()
        return None if built_with is None else self.index_of(built_with)

    async def _built_with(self) -> str | None:
        [state] = await self.space.get("index", "state")
        return None if state is None else str(state["embeddings"])

    async def _claim(self) -> None:
        """Note which embedding model the index is built with, or hold to what is noted.

        An index that was lost is not added to as if it were whole: all is to be indexed again.
        """
        if not await self.check():
            await self.space.write([("index", "state", {"embeddings": self.embedder.name})])
        elif await self._is_empty():
            await self._mark_all()

    async def _is_empty(self) -> bool:
        return not await self._index.holds(self.space.key)

    async def _mark_all(self) -> int:
        """Mark every episode to be indexed; returns how many there are."""
        every = [episode.id async for episode in self.episodes.each()]
        await self.space.write_many(("unindexed", key, {}) for key in every)
        return len(every)

    async def _clear(self) -> None:
        for name in {await self._built_with() or self.embedder.name, self.embedder.name}:
            try:
                await self.index_of(name).clear(self.space.key)
            except IndexDamaged:
                await self.index_of(name).destroy()
        await self.space.write([("index", "state", None)])


async def _nothing() -> list[Hit]:
    return []


async def _nearest(search: Callable[[int], Awaitable[Ranking]], limit: int) -> list[Hit]:
    """The ``limit`` best of one ranking; of those with the same score the newest.

    Which of them an index gives is chance: so more are asked for until none with that score can
    be missing.
    """
    wide = limit + 1
    while True:
        ranking = await search(wide)
        found = sorted(
            ranking.dense or ranking.bm25,
            key=lambda hit: (-hit.score, -hit.at, hit.episode_id),
        )
        if len(found) < wide or found[-1].score < found[limit - 1].score:
            return found[:limit]
        wide *= 2
