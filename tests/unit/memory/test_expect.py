"""A turn's message is embedded from the turn's beginning, beside what comes before its recall."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from personaagent.core.errors import ModelError
from personaagent.core.settings import load_settings
from personaagent.memory.memory import EXPECTED_CHARS, Memory
from personaagent.models.embeddings import CachedEmbedder


class Recording(CachedEmbedder):
    """Records the texts that it is asked to embed; raises ``error``, if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("recording")
        self.asked: list[str] = []
        self._error = error

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        await asyncio.sleep(0)
        if self._error:
            raise self._error
        return [[1.0] for _ in texts]

    async def ready(self) -> None:
        """Nothing has to be loaded."""

    async def aclose(self) -> None:
        """Nothing is open."""


def memory_with(embedder: Recording, **settings: Any) -> Memory:
    return Memory(load_settings(**settings), embedder)


async def test_whoever_recalls_finds_the_vector() -> None:
    memory = memory_with(embedder := Recording())
    memory.expect("Which bread?")
    assert await asyncio.create_task(embedder.embed(["Which bread?"])) == [[1.0]]
    assert embedder.asked == ["Which bread?"]


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("x" * (EXPECTED_CHARS + 1), {}),
        ("Which bread?", {"recall_mode": "bm25"}),
        ("Which bread?", {"embeddings": "openai:small", "openai_base_url": "http://localhost/v1"}),
    ],
    ids=["long", "by words", "at an endpoint"],
)
async def test_what_recall_may_not_embed_so_is_left_to_it(
    query: str, settings: dict[str, Any]
) -> None:
    memory = memory_with(embedder := Recording(), **settings)
    memory.expect(query)
    await asyncio.sleep(0.01)
    assert embedder.asked == []


async def test_a_failure_is_left_to_whoever_recalls(caplog: pytest.LogCaptureFixture) -> None:
    memory = memory_with(embedder := Recording(ModelError("It is down.")))
    memory.expect("Which bread?")
    await asyncio.sleep(0.01)
    with pytest.raises(ModelError, match="down"):
        await embedder.embed(["Which bread?"])
    assert not caplog.records


async def test_closing_does_not_wait_for_it() -> None:
    memory = memory_with(Recording())
    memory.expect("Which bread?")
    await memory.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
