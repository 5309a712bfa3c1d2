"""Requests without openai's typed layer, over real HTTP: what goes where, and what is not done."""

from typing import Any

import pytest
from langchain_core.language_models import chat_models
from langchain_core.messages import HumanMessage
from openai.resources.chat.completions import AsyncCompletions

from personaagent.models.chat import connect
from tests.support.endpoint import Endpoint, scripted_endpoint

STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


async def ask(endpoint: Endpoint, *, stream: bool, **options: Any) -> str:
    model = connect("scripted", endpoint.base_url, "a-key", timeout=30, retries=0)
    model.streaming = stream
    try:
        return (await model.ainvoke([HumanMessage("Where is Oslo?")], **options)).text
    finally:
        await model.root_async_client.close()


@STREAMS
async def test_what_is_no_part_of_the_body_goes_elsewhere(stream: bool) -> None:
    with scripted_endpoint(lambda body: "In Norway.") as endpoint:
        await ask(
            endpoint,
            stream=stream,
            extra_headers={"X-Team": "maps"},
            extra_body={"top_k": 5},
            timeout=20,
        )
    [request] = endpoint.requests
    assert request.headers["x-team"] == "maps"
    assert request.headers["authorization"] == "Bearer a-key"
    assert request.headers["x-stainless-read-timeout"] == "20"
    assert request.body["top_k"] == 5
    assert not {"extra_headers", "extra_body", "timeout"} & request.body.keys()


@STREAMS
async def test_no_type_of_openai_is_consulted_and_no_thread_is_asked(
    stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("this costs more than the rest of the call")

    monkeypatch.setattr(AsyncCompletions, "create", refuse)
    monkeypatch.setattr(chat_models, "run_in_executor", refuse)
    with scripted_endpoint(lambda body: "In Norway.") as endpoint:
        assert await ask(endpoint, stream=stream) == "In Norway."
