"""Indexing: in steps, and from the start."""

import asyncio
from itertools import count
from pathlib import Path

import pytest

from personaagent.core.settings import load_settings
from personaagent.memory.data_folder import open_store
from personaagent.memory.memory import Memory
from personaagent.memory.user_index import UserIndex
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode, memory_of

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


async def test_the_queue_is_indexed_in_bounded_steps(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await anna.episodes.add([episode(f"e{n}", f"bread {n}") for n in range(150)])
    steps: list[tuple[int, int]] = []
    assert await anna.indexer.refresh(100, lambda *step: steps.append(step)) == 100
    assert await anna.indexer.refresh(100, lambda *step: steps.append(step)) == 50
    assert steps == [(64, 100), (100, 100), (50, 100)]


async def test_an_empty_memory_can_be_rebuilt(tmp_path: Path) -> None:
    assert await memory_of("anna", tmp_path).indexer.rebuild() == 0


async def test_searches_that_start_at_once_do_not_clear_what_one_of_them_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reset, delays = UserIndex.reset, count()

    async def reset_later(index: UserIndex) -> None:
        await asyncio.sleep(next(delays) / 400)
        await reset(index)

    monkeypatch.setattr(UserIndex, "reset", reset_later)
    async with open_store(tmp_path) as store:
        anna = Memory(load_settings(home=tmp_path), BagEmbedder()).of(store, "anna")
        await anna.episodes.add([episode(f"e{n}", f"bread {n}") for n in range(20)])
        results = await asyncio.gather(*(anna.recall(f"bread {n}", 1) for n in range(20)))
    assert [result.warnings for result in results] == [[]] * 20
    assert [[each.id for each in result.episodes] for result in results] == [
        [f"e{n}"] for n in range(20)
    ]
