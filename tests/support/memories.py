"""A memory for unit tests: everything in memory, embeddings are bags of words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from langgraph.store.memory import InMemoryStore

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from tests.support.embedder import BagEmbedder

START = datetime(2026, 1, 1, tzinfo=UTC)


def index_in_memory() -> EpisodeIndex:
    """An index of its own."""
    return SqliteIndex()


def memory_of(
    user: str,
    home: Path,
    *,
    store: InMemoryStore | None = None,
    index: EpisodeIndex | None = None,
    **settings: Any,
) -> UserMemory:
    """The memory of one user, over a store and an index of its own if none is given."""
    memory = Memory(load_settings(home=home, **settings), BagEmbedder(), index or index_in_memory())
    return memory.of(store or InMemoryStore(), user)


def episode(id: str, query: str = "a question", day: int = 0, **fields: Any) -> Episode:
    """An episode of Anna's, ``day`` days after the start of 2026."""
    values = {"user_id": "anna", "response": f"answer to {query}"} | fields
    return Episode(id=id, query=query, created_at=START + timedelta(days=day), **values)


async def remember(memory: UserMemory, *episodes: Episode) -> None:
    """Store and index them."""
    await memory.episodes.add(episodes)
    await memory.indexer.refresh(len(episodes))
