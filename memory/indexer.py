"""Brings a user's episodes from the store into the index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from personaagent.core.records import Episode
from personaagent.memory.episodes import Episodes
from personaagent.memory.index.bm25 import Bm25
from personaagent.memory.index.protocol import Embedding, Entry
from personaagent.memory.user_index import UserIndex
from personaagent.memory.user_store import UserStore
from personaagent.models.embeddings import Embedder

BATCH = 64
ReportIndexed = Callable[[int, int], None]
"""Called with the number of episodes indexed so far and the number to index."""


@dataclass(frozen=True)
class Indexer:
    """Embeds the query of each episode (paper: f_enc) and writes it to the user's index.

    The store's namespace ``unindexed`` is the queue. An episode that was written while the index
    was down stays in it until somebody indexes it later.
    """

    store: UserStore
    episodes: Episodes
    embedder: Embedder
    bm25: Bm25
    index: UserIndex

    async def refresh(self, limit: int = BATCH, report: ReportIndexed | None = None) -> int:
        """Index up to ``limit`` episodes of the queue; returns how many were indexed.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
            IndexUnavailable: the index is down; the episodes stay in the queue.
        """
        indexed = 0
        while indexed < limit:
            queued = await self.store.keys("unindexed", min(BATCH, limit - indexed))
            if not queued:
                break
            await self.add(await self.episodes.find(queued), queued)
            indexed += len(queued)
            if report:
                report(indexed, limit)
        return indexed

    async def add(self, episodes: Sequence[Episode], queued: Sequence[str]) -> None:
        """Index these episodes, then remove the ids ``queued`` from the queue.

        Raises:
            EmbeddingsChanged, IndexUnavailable: as ``refresh``; the ids stay in the queue.
        """
        await self._prepare_index()
        await self.index.upsert(await self._embed(episodes))
        await self.store.write(("unindexed", id, None) for id in queued)

    async def rebuild(self, report: ReportIndexed | None = None) -> int:
        """Index all of the user's episodes anew, with the embedding model in use.

        A damaged index is removed first, and its other users have to rebuild theirs too.
        """
        await self.index.reset()
        count = await self._queue_all()
        await self.refresh(count, report)
        await self.index.optimise()
        return count

    async def _prepare_index(self) -> None:
        """Check the embedding model, or record it in a new index.

        If the user's entries were lost, all episodes are queued: a part of them must not pass for
        the whole.
        """
        if not await self.index.check_model():
            await self.index.record_model()
        elif await self.index.is_empty():
            await self._queue_all()

    async def _embed(self, episodes: Sequence[Episode]) -> list[Entry]:
        vectors = await self.embedder.embed([episode.query for episode in episodes])
        return [
            Entry(
                episode.id,
                episode.created_at.timestamp(),
                Embedding(vector, self.bm25.document(episode.query)),
            )
            for episode, vector in zip(episodes, vectors, strict=True)
        ]

    async def _queue_all(self) -> int:
        """Put every episode into the queue; returns how many there are."""
        ids = [episode.id async for episode in self.episodes.scan()]
        await self.store.write_in_batches(("unindexed", id, {}) for id in ids)
        return len(ids)
