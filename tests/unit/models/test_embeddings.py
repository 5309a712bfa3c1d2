"""Choosing an embedder, what it remembers, and how it orders and checks vectors."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from personaagent.core.errors import ConfigurationError, ModelError
from personaagent.core.settings import Settings
from personaagent.models.embeddings import CACHED_TEXTS, CachedEmbedder, make_embedder
from personaagent.models.endpoint_embeddings import EndpointEmbedder
from personaagent.models.local_embeddings import BATCH, LocalEmbedder


class Counting(CachedEmbedder):
    """Embeds a text as its length, and keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__("counting")
        self.asked: list[list[str]] = []

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        return [[float(len(text))] for text in texts]


class Waiting(Counting):
    """Likewise, but each call waits until it is let go, and then fails as often as ``failures`` says."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.failures = failures

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        vectors = await super()._vectors(texts)
        await self.go.wait()
        if self.failures:
            self.failures -= 1
            raise ModelError("It failed.")
        return vectors


class Lengths:
    """In the model's place: a text's vector is its length; keeps its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def embed(self, texts: list[str]) -> list[list[float]]:
        self.batches.append(texts)
        return [[float(len(text))] for text in texts]


class Answering(EndpointEmbedder):
    """Its endpoint answers with these vectors."""

    def __init__(self, vectors: list[list[float]]) -> None:
        super().__init__("e", Settings(openai_base_url="http://localhost/v1"))
        self.vectors = vectors

    async def _request(self, texts: list[str]) -> list[list[float]]:
        return self.vectors


def test_the_local_one_is_the_default(tmp_path: Path) -> None:
    embedder = make_embedder(Settings(home=tmp_path))

    assert isinstance(embedder, LocalEmbedder)
    assert embedder.name.startswith("all-MiniLM-L6-v2@")
    assert not list(tmp_path.iterdir())


def test_the_endpoints_is_named_after_its_model() -> None:
    embedder = make_embedder(
        Settings(embeddings="openai:text-embedding-3-small", openai_base_url="http://localhost/v1")
    )

    assert isinstance(embedder, EndpointEmbedder)
    assert embedder.name == "openai:text-embedding-3-small"


@pytest.mark.parametrize("name", ["bert", "openai:", "openai"])
def test_an_unknown_name_is_refused_with_what_is_possible(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"all-MiniLM-L6-v2 or openai:NAME"):
        make_embedder(Settings(embeddings=name, openai_base_url="http://localhost/v1"))


def test_the_endpoints_needs_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY or OPENAI_BASE_URL"):
        make_embedder(Settings(embeddings="openai:text-embedding-3-small"))


async def test_what_was_embedded_lately_is_not_embedded_again() -> None:
    embedder = Counting()

    assert await embedder.embed(["one", "four", "one"]) == [[3.0], [4.0], [3.0]]
    [vector] = await embedder.embed(["one"])
    vector[0] = 0.0
    assert await embedder.embed(["seven", "one"]) == [[5.0], [3.0]]
    assert embedder.asked == [["one", "four"], ["seven"]]


async def test_what_is_being_embedded_is_waited_for() -> None:
    embedder = Waiting()
    early = asyncio.create_task(embedder.embed(["one"]))
    await asyncio.sleep(0)
    later = asyncio.create_task(embedder.embed(["four", "one"]))
    await asyncio.sleep(0)
    embedder.go.set()
    assert (await early, await later) == ([[3.0]], [[4.0], [3.0]])
    assert embedder.asked == [["one"], ["four"]]


async def test_what_failed_or_was_given_up_is_embedded_by_who_waited() -> None:
    for give_up in (False, True):
        embedder = Waiting(failures=0 if give_up else 1)
        early = asyncio.create_task(embedder.embed(["one"]))
        await asyncio.sleep(0)
        later = asyncio.create_task(embedder.embed(["one"]))
        await asyncio.sleep(0)
        if give_up:
            early.cancel()
        embedder.go.set()
        assert await later == [[3.0]]
        with pytest.raises(asyncio.CancelledError if give_up else ModelError):
            await early


async def test_no_text_stays_with_its_vector() -> None:
    embedder = Counting()
    await embedder.embed(["my secret"])
    embedder.asked.clear()
    assert "secret" not in repr(vars(embedder))


async def test_more_texts_than_are_remembered() -> None:
    embedder, texts = Counting(), ["x" * length for length in range(1, CACHED_TEXTS + 10)]

    await embedder.embed(texts[:5])
    assert await embedder.embed(texts) == [[float(len(text))] for text in texts]


async def test_nothing_asks_for_nothing() -> None:
    embedder = Counting()

    assert await embedder.embed([]) == []
    assert embedder.asked == []


async def test_batches_hold_texts_of_like_length_and_vectors_keep_their_order(
    tmp_path: Path,
) -> None:
    embedder = LocalEmbedder(tmp_path)
    model = Lengths()
    embedder._model = model  # type: ignore[assignment]
    texts = ["x" * (i * 37 % 101 + 1) for i in range(2 * BATCH + 5)]

    vectors = await embedder.embed(texts)

    assert vectors == [[float(len(text))] for text in texts]
    assert [len(batch) for batch in model.batches] == [BATCH, BATCH, 5]
    assert [len(text) for batch in model.batches for text in batch] == sorted(map(len, texts))


async def test_the_endpoints_vectors_are_brought_to_unit_length() -> None:
    embedder = Answering([[3.0, 4.0], [0.0, -2.0]])

    vectors = await embedder.embed(["a", "b"])

    assert np.allclose(vectors, [[0.6, 0.8], [0.0, -1.0]])


@pytest.mark.parametrize(
    "vectors",
    [
        [[1.0, 0.0]],
        [[1.0, 0.0], [0.0, 0.0]],
        [[1.0, 0.0], [math.nan, 1.0]],
        [[1.0], [1.0, 2.0]],
        [],
    ],
    ids=["too few", "zero", "not a number", "ragged", "none"],
)
async def test_vectors_that_cannot_be_used_are_refused(vectors: list[list[float]]) -> None:
    with pytest.raises(ModelError):
        await Answering(vectors).embed(["a", "b"])
