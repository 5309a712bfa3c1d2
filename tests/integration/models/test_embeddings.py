"""Embedding for real: the local model's vectors, and an endpoint over HTTP."""

import socket
from contextlib import aclosing

import numpy as np
import pytest

from personaagent.core.errors import ConfigurationError, ModelUnavailable
from personaagent.core.settings import Settings, load_settings
from personaagent.models.embeddings import make_embedder
from personaagent.models.local_embeddings import LocalEmbedder
from tests.support.endpoint import Raw, scripted_endpoint

HOME = load_settings().home


@pytest.fixture(scope="module")
def local() -> LocalEmbedder:
    return LocalEmbedder(HOME)


async def test_meaning_is_nearer_than_words(local: LocalEmbedder) -> None:
    question, paraphrase, other = np.array(
        await local.embed(
            ["How do I cook rice?", "Steps for boiling basmati", "How do I sell a house?"]
        )
    )

    assert question @ paraphrase > question @ other


async def test_a_vector_does_not_depend_on_its_batch(local: LocalEmbedder) -> None:
    texts = [f"{'very ' * (i % 40)}short text number {i}" for i in range(40)] + ["word " * 5000]

    together = np.array(await local.embed(texts))
    alone = np.array([(await local.embed([text]))[0] for text in texts])

    assert together.shape == (len(texts), 384)
    assert np.abs(together - alone).max() < 1e-3
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-4)


async def test_an_endpoint_is_sent_the_texts_themselves() -> None:
    with scripted_endpoint(lambda body: Raw("")) as endpoint:
        embedder = make_embedder(
            Settings(
                embeddings="openai:scripted", openai_base_url=endpoint.base_url, openai_api_key="k"
            )
        )
        async with aclosing(embedder):
            vectors = np.array(await embedder.embed(["one", "two"]))

    [request] = endpoint.requests
    assert request.body["input"] == ["one", "two"]
    assert request.body["model"] == "scripted"
    assert request.headers["authorization"] == "Bearer k"
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)


async def test_a_wrong_address_is_a_setting_to_mend() -> None:
    with scripted_endpoint(lambda body: Raw("")) as endpoint:
        embedder = make_embedder(
            Settings(embeddings="openai:x", openai_base_url=f"{endpoint.base_url}/wrong")
        )
        async with aclosing(embedder):
            with pytest.raises(
                ConfigurationError, match="embedding model's name and OPENAI_BASE_URL"
            ):
                await embedder.embed(["one"])


async def test_an_endpoint_that_is_down_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    embedder = make_embedder(
        Settings(
            embeddings="openai:x", openai_base_url=f"http://127.0.0.1:{port}/v1", model_retries=0
        )
    )

    async with aclosing(embedder):
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await embedder.embed(["one"])
