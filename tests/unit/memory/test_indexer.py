"""Indexing: in steps, and from the start."""

import asyncio
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from langgraph.store.base import GetOp, Op, Result, SearchOp
from langgraph.store.memory import InMemoryStore

from personaagent.core.settings import load_settings
from personaagent.memory.data_folder import open_store
from personaagent.memory.memory import Memory
from personaagent.memory.user_index import UserIndex
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode, memory_of, remember

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


async def test_a_recall_asks_the_store_once_whether_the_index_is_up_to_date(
    tmp_path: Path,
) -> None:
    class Counting(InMemoryStore):
        asked: ClassVar[list[str]] = []

        async def abatch(self, ops: Iterable[Op]) -> list[Result]:
            operations = [*ops]
            for each in operations:
                if isinstance(each, GetOp):
                    self.asked.append(each.namespace[-1])
                elif isinstance(each, SearchOp):
                    self.asked.append(each.namespace_prefix[-1])
            return await super().abatch(operations)

    anna = memory_of("anna", tmp_path, store=Counting())
    await remember(anna, episode("e1", "rye bread"))
    await anna.recall("rye", 1)
    Counting.asked.clear()
    assert len((await anna.recall("rye", 1)).episodes) == 1
    asked = [name for name in Counting.asked if name in ("index", "unindexed")]
    assert sorted(asked) == ["index", "unindexed"]
