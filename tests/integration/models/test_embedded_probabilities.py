"""The embedded model's own probabilities: the same streamed or not, and of answers in a grammar."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_openai import ChatOpenAI

from personaagent.core.settings import load_settings
from personaagent.models.catalog import CHAT, find_model
from personaagent.models.chat import connect
from personaagent.models.download import ensure
from personaagent.models.embedded import serve, stop
from personaagent.models.label_probabilities import answer_probabilities, with_logprobs

pytestmark = pytest.mark.live

ANSWERS = ["Paris", "London", "New York"]
ASKS = [HumanMessage(f"Answer with one of: {', '.join(ANSWERS)}. The capital of France?")]


@pytest.fixture
async def model() -> AsyncIterator[ChatOpenAI]:
    home = load_settings().home
    file: Path = (await ensure(CHAT, home)) / find_model(CHAT).files[0].name
    endpoint = await serve(file, context=1024)
    client = connect("m", endpoint.base_url, endpoint.api_key, timeout=300, retries=0)
    try:
        yield client
    finally:
        await client.root_async_client.close()
        await asyncio.to_thread(stop)


async def streamed(model: ChatOpenAI) -> AIMessage:
    chunks = [chunk async for chunk in with_logprobs(model).astream(ASKS)]
    whole = AIMessageChunk(content="")
    for chunk in chunks:
        whole += chunk  # type: ignore[assignment]
    return whole


async def test_every_way_of_asking_gives_the_same_probabilities(model: ChatOpenAI) -> None:
    form = {"name": "city", "schema": {"type": "string", "enum": ANSWERS}}
    json_mode = {"type": "json_schema", "json_schema": form}
    asks = with_logprobs(model)
    replies = [
        await asks.ainvoke(ASKS),
        await streamed(model),
        await asks.ainvoke(ASKS, response_format=json_mode, stream=False),
    ]
    for reply in replies:
        found = answer_probabilities(reply, ANSWERS)
        assert found is not None, reply
        assert found["Paris"] > 0.5, reply.text
        assert sum(found.values()) == pytest.approx(1)
    plain, in_stream = (answer_probabilities(reply, ANSWERS) or {} for reply in replies[:2])
    assert in_stream == pytest.approx(plain, abs=0.05)
    assert not (await model.ainvoke(ASKS)).response_metadata.get("logprobs")
