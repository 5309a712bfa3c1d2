"""What the night asks of the server in a user's name, and whom it leaves alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from personaagent.core.records import now
from personaagent.server import nights
from personaagent.server.due_users import DueUser

ANNA = DueUser("anna", "0" * 64)


class Shared:
    """The memory of all users: Anna's labels, and the lock that her forgetting holds."""

    def __init__(self, *, labels: int) -> None:
        self.labels = labels
        self.lock = asyncio.Lock()
        self.dropped: list[str] = []

    def of(self, _: Any, user_id: str) -> Any:
        async def due(after: int) -> bool:
            return self.labels >= after

        return SimpleNamespace(
            user_id=user_id, unaligned=SimpleNamespace(due=due), forgetting=self.forgetting
        )

    @asynccontextmanager
    async def forgetting(self) -> AsyncIterator[None]:
        async with self.lock:
            yield

    async def drop_lock(self, user_id: str) -> None:
        self.dropped.append(user_id)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The users whose run was queued, in place of a server."""
    users: list[str] = []

    async def queue(_: Any, user_id: str, __: Any) -> object:
        users.append(user_id)
        return object()

    monkeypatch.setattr(nights, "queue_nightly", queue)
    monkeypatch.setattr(nights, "FORGETTING_PATIENCE", 0.01)
    return users


async def hand_over(shared: Shared) -> bool:
    app: Any = SimpleNamespace()
    memory: Any = shared
    store: Any = Path
    return await nights._hand_over(app, memory, store, ANNA, now())


async def test_who_has_new_labels_gets_a_run(queued: list[str]) -> None:
    assert await hand_over(Shared(labels=1))
    assert queued == ["anna"]


async def test_who_was_forgotten_since_they_were_found_gets_none(queued: list[str]) -> None:
    shared = Shared(labels=0)
    assert not await hand_over(shared)
    assert (queued, shared.dropped) == ([], ["anna"])


async def test_a_forgetting_that_goes_on_keeps_the_night_from_nobody_else(
    queued: list[str],
) -> None:
    shared = Shared(labels=1)
    async with shared.forgetting():
        assert not await hand_over(shared)
    assert queued == []
    assert await hand_over(shared)
