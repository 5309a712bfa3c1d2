"""Brings a user's episodes from the store into the index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from personaagent.core.records import Episode
from personaagent.memory.episodes import Episodes
from personaagent.memory.index.protocol import Entry, Passage
from personaagent.memory.instruction_learning import InstructionLearning
from personaagent.memory.instructions import Instructions
from personaagent.memory.locks import Lock
from personaagent.memory.passages import passages
from personaagent.memory.terms import terms
from personaagent.memory.user_index import UserIndex
from personaagent.memory.user_store import StoreWrite, UserStore
from personaagent.models.embeddings import Embedder

BATCH = 64
ReportIndexed = Callable[[int, int], None]
"""Called with the number of episodes indexed so far and the number to index."""


class IndexState(NamedTuple):
    """Whether the user has an index, and whether episodes wait to be in it."""

    built: bool
    behind: bool


@dataclass(frozen=True)
class Indexer:
    """Embeds the passages of each episode (paper: f_enc) and writes them to the user's index.

    ``lock`` lets one process at a time start the index anew.
    The store's namespace ``unindexed`` is the queue: of episodes that could not be embedded when they
    were stored, or that an index outside of the store does not have yet.
    """

    store: UserStore
    episodes: Episodes
    embedder: Embedder
    index: UserIndex
    lock: Lock

    async def refresh(self, limit: int = BATCH, report: ReportIndexed | None = None) -> int:
        """Index up to ``limit`` episodes of the queue; returns how many were indexed.

        If the user's index is missing, or an earlier version built it, all episodes are queued first.

        Raises:
            EmbeddingsChanged: the user's index was built with another embedding model.
            IndexUnavailable: the index is down; the episodes stay in the queue.
        """
        await self._prepare()
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

    async def catch_up(self) -> IndexState:
        """Index some of the queue. If nothing waits, this is a question or two to the store.

        Errors as of ``refresh``.
        """
        if await self.index.check_model() and not await self.is_behind():
            return IndexState(built=True, behind=False)
        self.store.have(None)
        indexed = await self.refresh()
        built = bool(indexed) or await self.index.check_model()
        return IndexState(built=built, behind=await self.is_behind())

    async def is_lost(self) -> bool:
        """Whether nothing is indexed, though all should be; a user who forgot all has lost nothing."""
        if await self.is_behind() or not await self.index.is_empty():
            return False
        return await self.episodes.exist()

    async def is_behind(self) -> bool:
        """Whether any episode waits in the queue."""
        return bool(await self.store.keys("unindexed", 1))

    async def add(self, episodes: Sequence[Episode], queued: Sequence[str]) -> None:
        """Index these episodes, and remove the ids ``queued`` from the queue.

        Raises:
            EmbeddingsChanged, IndexUnavailable: as ``refresh``; the ids stay in the queue.
        """
        entries = await self.entries(episodes)
        await self.index.upsert(entries, [("unindexed", id, None) for id in queued])

    async def entries(self, episodes: Sequence[Episode]) -> list[Entry]:
        """What the index holds of these episodes; errors as of ``refresh``."""
        await self._prepare_entries()
        learned = await InstructionLearning(self.store, self.episodes).learn(episodes)
        return await self._embed(episodes, learned)

    async def learned_entries(
        self, episodes: Sequence[Episode]
    ) -> tuple[list[Entry], list[StoreWrite]]:
        """The same, and the writes of what these episodes tell of the instructions, for whoever
        writes only if nothing of what that was decided from has changed."""
        await self._prepare_entries()
        record, writes = await InstructionLearning(self.store, self.episodes).learned(episodes)
        return await self._embed(episodes, record), writes

    async def _prepare_entries(self) -> None:
        await self._prepare()
        if not self.index.in_store and await self.index.is_empty():
            await self._queue_all()  # it was lost: a part must not pass for the whole

    async def rebuild(self, report: ReportIndexed | None = None) -> int:
        """Index all of the user's episodes anew, with the embedding model in use."""
        await self.index.reset()
        count = await self._queue_all()
        await self.refresh(count, report)
        while await self.refresh():
            pass  # what the later ones showed of the instructions of the earlier ones
        return count

    async def _prepare(self) -> None:
        """Check the embedding model; queue all episodes if they are not in this index."""
        if await self._is_missing():
            async with self.lock():  # a second one would clear what the first has indexed
                self.store.have(None)
                if await self._is_missing():
                    await self.index.reset()
                    await self._queue_all()
                    await self.store.write([self.index.state_write()])

    async def _is_missing(self) -> bool:
        return not await self.index.check_model() and await self.episodes.exist()

    async def _embed(self, episodes: Sequence[Episode], instructions: Instructions) -> list[Entry]:
        splits = [instructions.split(episode.query) for episode in episodes]
        stretches = [
            passages(episode, (split.start, split.end))
            for episode, split in zip(episodes, splits, strict=True)
        ]
        vectors = iter(
            await self.embedder.embed([stretch.embedded for each in stretches for stretch in each])
        )
        return [
            Entry(
                episode.id,
                episode.created_at.timestamp(),
                thread_of(episode),
                [
                    Passage(part, start, end, next(vectors), terms(matched))
                    for part, start, end, _, matched in each
                ],
            )
            for episode, each in zip(episodes, stretches, strict=True)
        ]

    async def _queue_all(self) -> int:
        """Put every episode into the queue; returns how many there are."""
        ids = [episode.id async for episode in self.episodes.scan()]
        await self.store.write_in_batches(("unindexed", id, {}) for id in ids)
        return len(ids)


def thread_of(episode: Episode) -> str | None:
    """The conversation that the episode is a turn of, as its metadata says; None if it does not."""
    thread = episode.metadata.get("thread_id") or episode.metadata.get("conversation_id")
    return None if thread is None else str(thread)
