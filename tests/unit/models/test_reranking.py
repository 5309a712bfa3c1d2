"""Reranking: the shapes of answers, and what an endpoint that fails costs."""

from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import ConfigurationError, ModelError, ModelUnavailable
from personaagent.core.settings import load_settings
from personaagent.models.reranking import EndpointReranker, LocalReranker, make_reranker
from tests.support.rerank_endpoint import rerank_endpoint

TEXTS = ["motor oil", "rye bread", "the dog"]


def fits(query: str, text: str) -> float:
    return float(len({*query.split()} & {*text.split()}))


def reranker(url: str, **settings: Any) -> EndpointReranker:
    return EndpointReranker(url, load_settings(rerank_url=url, **settings))


def test_nothing_is_reranked_unless_the_settings_say_so() -> None:
    assert make_reranker(load_settings()) is None
    assert isinstance(make_reranker(load_settings(rerank_model="m")), LocalReranker)
    both = load_settings(rerank_model="m", rerank_url="http://localhost/rerank")
    assert isinstance(make_reranker(both), EndpointReranker)


@pytest.mark.parametrize("shape", ["jina", "tei"])
async def test_both_shapes_give_scores_in_the_order_of_the_texts(shape: str) -> None:
    with rerank_endpoint(fits, shape=shape) as endpoint:
        found = reranker(endpoint.url, rerank_model="judge", rerank_api_key="secret")
        assert await found.scores("bread of rye", TEXTS) == [0, 2, 0]
        assert await found.scores("oil", TEXTS) == [1, 0, 0]
        await found.aclose()
    assert {request.key for request in endpoint.requests} == {"Bearer secret"}
    assert {request.body["model"] for request in endpoint.requests} == {"judge"}
    assert len(endpoint.requests) == (2 if shape == "jina" else 3), "the shape is learned once"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [(500, "{}", "answered 500"), (200, "[]", "no scores"), (200, "<html>", "no scores")],
)
async def test_a_failing_endpoint_is_named(status: int, body: str, says: str) -> None:
    with rerank_endpoint(fits, status=status, raw=body) as endpoint:
        found = reranker(endpoint.url)
        with pytest.raises(ModelError, match=says):
            await found.scores("bread", TEXTS)
        await found.aclose()


async def test_an_endpoint_that_is_not_there_is_unavailable() -> None:
    found = reranker("http://127.0.0.1:9/rerank")
    with pytest.raises(ModelUnavailable, match="PERSONAAGENT_RERANK_URL"):
        await found.scores("bread", TEXTS)
    await found.aclose()


async def test_a_folder_without_a_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PERSONAAGENT_RERANK_MODEL"):
        await LocalReranker(str(tmp_path)).scores("bread", TEXTS)
