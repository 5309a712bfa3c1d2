"""The way into memory: one object for the process, from which each user's own is taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from langgraph.store.base import BaseStore

from personaagent.core.settings import Settings
from personaagent.core.users import check_user_id, user_key
from personaagent.memory.conversations import Conversations
from personaagent.memory.episodes import Episodes
from personaagent.memory.index.bm25 import Bm25
from personaagent.memory.index.open import INDEX_FOLDER, open_index
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.indexer import Indexer
from personaagent.memory.locks import database_lock, database_of, file_lock
from personaagent.memory.notices import Notices
from personaagent.memory.pending import PendingSet
from personaagent.memory.personas import Personas
from personaagent.memory.profile import Profiles
from personaagent.memory.simulations import Simulations
from personaagent.memory.spending import Spending
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import UserStore, storage_errors
from personaagent.models.embeddings import Embedder

LOCKS = 8
"""Connections to a database that may hold a lock, or wait for one, at a time."""


class Memory:
    """What the memories of all users share: the embedding model and the index's connection.

    Args:
        settings: says where the index is, and how to recall.
        embedder: the embedding model.
        index: an index to use in place of the one that the settings ask for (tests).
        index_folder: where in the data folder the embedded index is. Each store needs one of its
            own: an index says only which episodes of its store are near.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        index: EpisodeIndex | None = None,
        *,
        index_folder: str = INDEX_FOLDER,
    ) -> None:
        self.embedder = embedder
        self._settings = settings
        self._index_folder = index_folder
        self._bm25 = Bm25()
        self._indexes = {} if index is None else {embedder.name: index}
        self._locks = asyncio.Semaphore(LOCKS)

    def of(self, store: BaseStore, user_id: str) -> UserMemory:
        """The memory of this one user in ``store``.

        Raises:
            UsageError: the user id is not valid.
        """
        space = UserStore(store, check_user_id(user_id))
        episodes = Episodes(space)
        return UserMemory(
            user_id=user_id,
            episodes=episodes,
            profile=Profiles(space, episodes),
            personas=Personas(space, lambda: self._lock(store, space.key)),
            news=Notices(space),
            indexer=Indexer(space, episodes, self.embedder, self._bm25, self._index_of),
            conversations=Conversations(space),
            unaligned=PendingSet(space, "unaligned"),
            simulations=Simulations(space),
            spending=Spending(space),
            space=space,
            mode=self._settings.recall_mode,
            timeout=self._settings.recall_timeout,
        )

    async def check_index(self) -> None:
        """Ask the index something that costs nothing.

        Raises:
            IndexUnavailable: it is down, held by another process, or damaged.
        """
        await self._index_of(self.embedder.name).holds("")

    async def drop_lock(self, user_id: str) -> None:
        """Remove the user's lock file, whose name tells that there was such a user."""
        lock = self._lock_file(user_key(user_id))
        await asyncio.to_thread(lock.unlink, missing_ok=True)

    async def aclose(self) -> None:
        """Let go of the indexes and the embedding model."""
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.embedder.aclose)
            for index in self._indexes.values():
                closing.push_async_callback(index.aclose)

    def _index_of(self, embeddings: str) -> EpisodeIndex:
        if embeddings not in self._indexes:
            self._indexes[embeddings] = open_index(self._settings, embeddings, self._index_folder)
        return self._indexes[embeddings]

    @asynccontextmanager
    async def _lock(self, store: BaseStore, key: str) -> AsyncIterator[None]:
        """Keeps writers of one user's persona apart, also those of all other processes that use
        the store: by its database, else by a file on the machine that the store is on.

        Raises:
            DataError: it cannot be had, or not soon enough.
        """
        async with AsyncExitStack() as held:
            with storage_errors():
                if address := database_of(store):
                    await held.enter_async_context(self._locks)
                    await held.enter_async_context(database_lock(address, key))
                else:
                    await held.enter_async_context(file_lock(self._lock_file(key)))
            yield

    def _lock_file(self, key: str) -> Path:
        return self._settings.home / "locks" / f"{key[:32]}.lock"
