"""Embedding for real: the local model's vectors, and an endpoint over HTTP."""

import socket
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from personaagent.core.errors import ConfigurationError, DataError, ModelUnavailable
from personaagent.core.settings import Settings, load_settings
from personaagent.models.catalog import EMBEDDINGS
from personaagent.models.download import model_folder
from personaagent.models.embeddings import make_embedder
from personaagent.models.local_embeddings import GRAPH, LocalEmbedder, MiniLM
from tests.support.endpoint import Raw, scripted_endpoint

HOME = load_settings().home
MODEL = model_folder(HOME, EMBEDDINGS)
THINGS = ("boat", "garden", "film with the whales", "Zürich trip", "2026 budget", "東京")


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


async def test_vectors_are_near_those_of_the_published_model_in_floats(
    local: LocalEmbedder,
) -> None:
    texts = [f"What did I say about the {thing}?" for thing in THINGS] + ["word " * 300]

    vectors = np.array(await local.embed(texts))

    cosines = (vectors * _in_floats(texts)).sum(axis=1)
    assert cosines.mean() > 0.997
    assert cosines.min() > 0.99


def test_the_graph_in_the_package_is_what_its_script_writes() -> None:
    onnx = pytest.importorskip("onnx")
    from personaagent.models.minilm_graph import int8_graph

    written = int8_graph((MODEL / "model.onnx").read_bytes())

    assert written == onnx.load_model_from_string(GRAPH.read_bytes())


def test_a_damaged_model_is_a_sentence_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((MODEL / "tokenizer.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes((MODEL / "model.onnx").read_bytes()[:1_000_000])

    with pytest.raises(DataError, match=r"delete that folder and run `personaagent model pull"):
        MiniLM.load(tmp_path)


def _in_floats(texts: list[str]) -> np.ndarray:
    """The published file computed as it is, pooled as its authors do."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(texts)
    ids, mask = (np.array([getattr(e, n) for e in encoded]) for n in ("ids", "attention_mask"))
    session = onnxruntime.InferenceSession(MODEL / "model.onnx")
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    [hidden] = session.run(None, inputs)
    summed = (hidden * mask[..., None]).sum(axis=1)
    return summed / np.linalg.norm(summed, axis=1, keepdims=True)


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
        wrong = f"{endpoint.base_url}/embeddings/wrong?beside="  # what follows is no path
        embedder = make_embedder(Settings(embeddings="openai:x", openai_base_url=wrong))
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


async def test_an_endpoint_that_refuses_base64_is_asked_for_numbers_from_then_on() -> None:
    with scripted_endpoint(lambda body: "never") as endpoint:
        endpoint.refuses_base64 = True
        settings = Settings(openai_base_url=endpoint.base_url, embeddings="openai:bag")
        async with aclosing(make_embedder(settings)) as embedder:
            assert len(await embedder.embed(["boat", "sea"])) == 2
            assert len(await embedder.embed(["garden"])) == 1
    forms = [request.body.get("encoding_format") for request in endpoint.requests]
    assert forms == ["base64", "float", "float"]
