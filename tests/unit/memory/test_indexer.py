"""Indexing: in steps, and from the start."""

from pathlib import Path

import pytest

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
