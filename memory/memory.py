"""The entry to memory: one object for the process, which gives access to each user's memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from langgraph.store.base import BaseStore

from personaagent.core.errors import Forgotten, PersonaAgentError, UnknownEpisode
from personaagent.core.settings import Settings
from personaagent.core.users import check_user_id, user_key
from personaagent.memory.conversations import Conversations
from personaagent.memory.costs import CostBook, Costs
from personaagent.memory.episodes import Episodes
from personaagent.memory.index.open import open_index
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.indexer import Indexer
from personaagent.memory.locks import (
    LocksInProcess,
    database_lock,
    database_of,
    file_lock,
    hold,
)
from personaagent.memory.notices import Notices
from personaagent.memory.pending import PendingSet
from personaagent.memory.personas import Personas
from personaagent.memory.profile import Profiles
from personaagent.memory.recall import Recall
from personaagent.memory.relevance_marks import RelevanceMarks
from personaagent.memory.simulations import Simulations
from personaagent.memory.spending import Spending
from personaagent.memory.sqlite_store import SqliteStore
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.text_vectors import TextVectors
from personaagent.memory.turn_snapshots import TurnSnapshots
from personaagent.memory.user import UserMemory
from personaagent.memory.user_index import UserIndex
from personaagent.memory.user_store import UserStore
from personaagent.models.catalog import EMBEDDINGS
from personaagent.models.embeddings import Embedder
from personaagent.models.reranking import make_reranker

MAX_LOCK_CONNECTIONS = 8
"""Database connections that may hold a lock, or wait for one, at the same time. Forgettings have as
many of their own: they take other locks meanwhile, which must not wait for them."""
FORGET_TIMEOUT = 300
"""Seconds that a forgetting waits for those of the same user that are under way."""
EXPECTED_CHARS = 300
FORGET = ".forget"
LOCKS = ("", ".index", FORGET)
"""What follows the user's key in the names of their locks."""


class Memory:
    """What the memories of all users share: the embedding model and the connection to the index.

    Args:
        settings: where the index is, and how to recall.
        embedder: the embedding model.
        index: an index to use instead of the one in the settings (for tests).
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        index: EpisodeIndex | None = None,
    ) -> None:
        self.embedder = embedder
        self.vectors = TextVectors(embedder)
        self._settings = settings
        self._reranker = make_reranker(settings)
        self._index = index
        self._indexes: dict[str, EpisodeIndex] = {}
        self._lock_connections = asyncio.Semaphore(MAX_LOCK_CONNECTIONS)
        self._forget_connections = asyncio.Semaphore(MAX_LOCK_CONNECTIONS)
        self._locks = LocksInProcess()
        self._cost_book = CostBook()
        self.turns = TurnSnapshots()
        self._embedding: set[asyncio.Task[None]] = set()

    def of(self, store: BaseStore, user_id: str, generation: str = "") -> UserMemory:
        """The memory of this one user in ``store``, for one operation.

        Args:
            store: of all users.
            user_id: whose memory.
            generation: as of ``UserStore``.

        Raises:
            UsageError: the user id is not valid.
        """
        user_store = UserStore(store, check_user_id(user_id), generation)
        lock = partial(self._lock, store, user_store.key)
        episodes = Episodes(user_store, lock)
        in_store = self._holds_index(store)
        index_of = partial(self._index_of, store)
        index = UserIndex(user_store, self.embedder.name, index_of, in_store)
        index_lock = partial(self._lock, store, f"{user_store.key}.index")
        indexer = Indexer(user_store, episodes, self.embedder, index, index_lock)
        costs = Costs(user_store, self._cost_book)
        mode, timeout = self._settings.recall_mode, self._settings.recall_timeout
        return UserMemory(
            user_id=user_id,
            episodes=episodes,
            profile=Profiles(user_store, episodes, lock),
            personas=Personas(user_store, lock),
            notices=Notices(user_store),
            indexer=indexer,
            conversations=Conversations(user_store),
            unaligned=PendingSet(user_store, "unaligned"),
            simulations=Simulations(user_store),
            spending=Spending(user_store, costs=costs),
            costs=costs,
            store=user_store,
            forgetting=partial(self._lock, store, f"{user_store.key}{FORGET}", FORGET_TIMEOUT),
            turns=self.turns,
            marks=RelevanceMarks(episodes, user_store, lock),
            recaller=Recall(
                episodes,
                indexer,
                mode,
                timeout,
                vectors=None if mode == "bm25" else self.vectors,
                reranker=self._reranker,
                rerank_timeout=self._settings.rerank_timeout,
            ),
            index_timeout=timeout,
        )

    def expect(self, query: str) -> None:
        """A turn with this query begins: embed it beside what comes before its recall.

        A long query is not: it may share an instruction with others, which recall leaves out. Nor is
        anything sent to an endpoint that recall may not need.
        """
        is_local = self._settings.embeddings == EMBEDDINGS
        if is_local and self._settings.recall_mode != "bm25" and len(query) <= EXPECTED_CHARS:
            task = asyncio.create_task(self._embed_early(query))
            self._embedding.add(task)
            task.add_done_callback(self._embedding.discard)

    async def _embed_early(self, query: str) -> None:
        with suppress(PersonaAgentError):  # recall fails in the same way, and warns the user
            await self.embedder.embed([query])

    async def check_index(self, store: BaseStore) -> None:
        """Check that the index answers, with a query that costs next to nothing.

        Raises:
            IndexUnavailable: it is down or damaged.
        """
        await self._index_of(store, self.embedder.name).has_entries("")

    async def write_costs(self, store: BaseStore) -> None:
        """Write at once what was noted of model calls in ``store``, and let go of it."""
        await self._cost_book.write(store)

    async def drop_lock(self, user_id: str) -> None:
        """Delete the user's lock files: their names would show that the user existed."""
        key = user_key(user_id)
        for purpose in LOCKS:
            file = self._lock_file(f"{key}{purpose}")
            await asyncio.to_thread(file.unlink, missing_ok=True)

    async def aclose(self) -> None:
        """Write what calls have cost, and close the indexes and the embedding model."""
        for task in self._embedding:
            task.cancel()
        await asyncio.gather(*self._embedding, return_exceptions=True)
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.embedder.aclose)
            if self._reranker is not None:
                closing.push_async_callback(self._reranker.aclose)
            for index in (*self._indexes.values(), *filter(None, [self._index])):
                closing.push_async_callback(index.aclose)
            closing.push_async_callback(self._cost_book.aclose)

    def _holds_index(self, store: BaseStore) -> bool:
        """Whether the index is in the database of this store."""
        elsewhere = self._index is not None or self._settings.qdrant_url is not None
        return isinstance(store, SqliteStore) and not elsewhere

    def _index_of(self, store: BaseStore, embeddings: str) -> EpisodeIndex:
        if isinstance(store, SqliteStore) and self._holds_index(store):
            return store.episode_index
        if self._index is not None:
            return self._index
        if embeddings not in self._indexes:
            file = self._settings.home / "index.sqlite" if database_of(store) else None
            self._indexes[embeddings] = open_index(self._settings, embeddings, file)
        return self._indexes[embeddings]

    @asynccontextmanager
    async def _lock(
        self, store: BaseStore, key: str, patience: int | None = None
    ) -> AsyncIterator[None]:
        """Let one writer in at a time, of all processes that use the store.

        The lock is in the store's database if that is a server, otherwise in a file. Of this process
        only one at a time asks for it: many writers of one user keep no connection from others.

        Raises:
            DataError: the lock cannot be taken, or not soon enough.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._locks.hold(key, patience))
            with storage_errors():
                if address := database_of(store):
                    forgets = key.endswith(FORGET)
                    connections = self._forget_connections if forgets else self._lock_connections
                    await stack.enter_async_context(hold(connections, patience))
                    await stack.enter_async_context(database_lock(address, key, patience))
                else:
                    await stack.enter_async_context(file_lock(self._lock_file(key), patience))
                    stack.push_async_exit(partial(self._drop_late_lock, store, key))
            yield

    async def _drop_late_lock(
        self, store: BaseStore, key: str, error: type[BaseException] | None, *_: object
    ) -> None:
        """Delete the lock file if nothing is stored of the user: whoever came too late made it anew."""
        late = error is not None and issubclass(error, (Forgotten, UnknownEpisode))
        if late or key.endswith(FORGET):
            user = key.split(".")[0]
            with storage_errors():
                if not await store.asearch(("users", user), limit=1):
                    await asyncio.to_thread(self._lock_file(key).unlink, missing_ok=True)

    def _lock_file(self, key: str) -> Path:
        user, *purpose = key.split(".")
        return self._settings.home / "locks" / ".".join([user[:32], *purpose, "lock"])
