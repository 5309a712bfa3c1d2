"""Locks of many users at once, where each that is held takes a connection to the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import DataError
from personaagent.core.settings import load_settings
from personaagent.memory import locks, memory
from personaagent.memory.memory import MAX_LOCK_CONNECTIONS, Memory
from tests.support.embedder import BagEmbedder
from tests.support.memories import index_in_memory


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memory:
    """What memories share on a server with a database, whose locks are files here."""

    @asynccontextmanager
    async def lock(address: str, key: str, patience: int | None = None) -> AsyncIterator[None]:
        async with locks.file_lock(tmp_path / key, patience):
            yield

    monkeypatch.setattr(memory, "database_of", lambda store: "address")
    monkeypatch.setattr(memory, "database_lock", lock)
    return Memory(load_settings(home=tmp_path), BagEmbedder(), index_in_memory())


async def test_many_who_forget_at_once_keep_no_lock_from_each_other(shared: Memory) -> None:
    """Whoever forgets holds a lock, and takes others meanwhile."""
    store, ended = InMemoryStore(), 0

    async def forget(user: str) -> None:
        nonlocal ended
        anyone = shared.of(store, user)
        async with anyone.forgetting():
            await asyncio.sleep(0.05)  # until all that can have begun
            async with anyone.personas.lock():
                ended += 1

    users = [f"user {number}" for number in range(2 * MAX_LOCK_CONNECTIONS)]
    async with asyncio.timeout(60):
        await asyncio.gather(*map(forget, users))
    assert ended == len(users)


async def test_who_finds_no_connection_is_told_to_try_again(
    shared: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = InMemoryStore()
    async with AsyncExitStack() as held:
        for number in range(MAX_LOCK_CONNECTIONS):
            await held.enter_async_context(shared.of(store, f"user {number}").personas.lock())
        monkeypatch.setattr(locks, "LOCK_TIMEOUT", 0)
        with pytest.raises(DataError, match="too long: try again"):
            async with shared.of(store, "anna").personas.lock():
                pass
