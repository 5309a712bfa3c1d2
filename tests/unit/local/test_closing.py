"""Whoever is cancelled while they open or close leaves nothing open behind them."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from personaagent.core.settings import Settings
from personaagent.local.agent import open_local
from personaagent.memory.data_folder import open_files
from personaagent.nodes.dependencies import Dependencies
from tests.support.embedder import BagEmbedder


class Closed(BagEmbedder):
    """Knows whether it was closed."""

    closed = False

    async def aclose(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class Stuck:
    """Something that never ends; ``begun`` once it began."""

    begun: threading.Event = field(default_factory=threading.Event)

    async def __call__(self) -> None:
        self.begun.set()
        await asyncio.Event().wait()


async def cancelled(
    work: Any, begun: threading.Event, then: Callable[[], None] = lambda: None
) -> None:
    """Begin the work, and cancel it once that has begun; ``then`` comes right after."""
    task = asyncio.ensure_future(work)
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    then()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_database_that_is_being_opened_does_not_outlive_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, connect, made = threading.Event(), threading.Event(), sqlite3.connect, []

    def slow(*arguments: Any, **options: Any) -> sqlite3.Connection:
        begun.set()
        go_on.wait(10)
        made.append(connect(*arguments, **options, check_same_thread=False))
        return made[-1]

    async def opened() -> None:
        async with open_files(tmp_path):
            pass

    monkeypatch.setattr(sqlite3, "connect", slow)
    before = set(threading.enumerate())
    asyncio.run(cancelled(opened(), begun, go_on.set))
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    [connection] = made
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


async def test_all_connections_are_closed_though_the_wait_for_a_summary_is_cancelled(
    tmp_path: Path,
) -> None:
    embedder = Closed()
    deps = Dependencies.from_settings(
        Settings(home=tmp_path, openai_api_key="k", model="m"), embedder
    )
    model = await deps.models.chat("actor")
    assert isinstance(model, ChatOpenAI)
    refresh = Stuck()
    deps.refreshing.start("ann", refresh)
    await cancelled(deps.aclose(), refresh.begun)
    assert model.root_async_client.is_closed()
    assert embedder.closed


@pytest.mark.parametrize("the_first", [True, False])
async def test_all_connections_are_closed_though_one_close_is_cancelled(
    the_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, openai_api_key="k", model="m", critic_model="c")
    embedder = Closed()
    deps = Dependencies.from_settings(settings, embedder)
    models = [await deps.models.chat(role) for role in ("actor", "critic")]
    first, second = [each.root_async_client for each in models if isinstance(each, ChatOpenAI)]
    slow, quick = (first, second) if the_first else (second, first)
    close = Stuck()
    monkeypatch.setattr(slow, "close", close)
    await cancelled(deps.aclose(), close.begun)
    monkeypatch.undo()
    await slow.close()
    assert quick.is_closed()
    assert embedder.closed


async def test_who_is_cancelled_does_not_wait_for_a_summary(tmp_path: Path) -> None:
    settings, begun, summary = Settings(home=tmp_path), threading.Event(), Stuck()

    async def work() -> None:
        async with open_local(settings, Dependencies.from_settings(settings, Closed())) as agent:
            agent.deps.refreshing.start("anna", summary)
            await asyncio.to_thread(summary.begun.wait, 10)
            begun.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(30):
        await cancelled(work(), begun)
