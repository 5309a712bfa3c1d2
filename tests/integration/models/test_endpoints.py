"""Each endpoint of docs/endpoints.md, scripted to send what the real one sends, over real HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from personaagent.core.errors import PersonaAgentError
from personaagent.models.chat import connect
from personaagent.models.endpoint_memory import EndpointMemory
from personaagent.models.endpoint_model import EndpointModel
from personaagent.models.invoke import invoke_model
from personaagent.models.label_probabilities import with_logprobs
from personaagent.models.structured import invoke_structured
from tests.support.dialects.all import DIALECTS
from tests.support.dialects.dialect import Body, Dialect, Said
from tests.support.endpoint import Endpoint, Reply, ToolCall, scripted_endpoint

QUESTION: list[BaseMessage] = [SystemMessage("Be kind."), HumanMessage("What is Norway's capital?")]
EVERY = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


class City(BaseModel):
    """A city."""

    name: str


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return query


def says(body: Body) -> Said:
    """A model that reads its prompt: it looks things up if it can, fills in forms, and answers."""
    prompt = json.dumps(body["messages"])
    assert "Norway" in prompt
    if "found: Oslo" in prompt:
        return "Oslo."
    if body.get("tools"):
        return [ToolCall("look_up", {"query": "Norway"})]
    if "action" in prompt or "action" in json.dumps(body.get("response_format", "")):
        return json.dumps({"action": "look_up", "query": "Norway"})
    if "response_format" in body or "schema" in prompt.lower():
        return json.dumps({"name": "Oslo"})
    return "Oslo is the capital."


def model_at(
    endpoint: Endpoint,
    dialect: Dialect,
    memory: EndpointMemory | None = None,
    *,
    stream: bool = False,
) -> EndpointModel:
    base_url = endpoint.base_url.removesuffix("/v1") + dialect.path
    model = connect(
        dialect.model,
        base_url,
        "a-secret-key",
        timeout=5,
        retries=0,
        memory=memory,
        finds_tools=True,
    )
    return model.model_copy(update={"streaming": True}) if stream else model


async def ask(
    dialect: Dialect, *, stream: bool, tools: bool = False, logprobs: bool = False
) -> tuple[AIMessage, list[Body]]:
    """The answer, and the requests that it took once the endpoint was known."""

    def respond(body: Body) -> Reply:
        return dialect.answer(body, says(body))

    with scripted_endpoint(respond) as endpoint:
        model = model_at(endpoint, dialect, stream=stream)
        asked: Any = with_logprobs(model) if logprobs else model
        offered = [look_up] if tools else None
        try:
            await invoke_model(asked, QUESTION, role="actor", tools=offered)
            endpoint.requests.clear()
            reply = await invoke_model(asked, QUESTION, role="actor", tools=offered)
        finally:
            await model.root_async_client.close()
    return reply, [request.body for request in endpoint.requests]


@EVERY
@STREAMED
async def test_an_answer(dialect: Dialect, stream: bool) -> None:
    reply, requests = await ask(dialect, stream=stream)
    assert reply.text == "Oslo is the capital."
    assert not reply.tool_calls
    assert len(requests) == 1
    assert dialect.refuse(requests[0]) is None


@EVERY
async def test_a_stream_comes_in_pieces_without_the_models_reasoning(dialect: Dialect) -> None:
    with scripted_endpoint(lambda body: dialect.answer(body, says(body))) as endpoint:
        model = model_at(endpoint, dialect)
        shown = [chunk.text async for chunk in model.astream(QUESTION)]
        await model.root_async_client.close()
    assert "".join(shown) == "Oslo is the capital."
    streams = bool(endpoint.requests[-1].body.get("stream"))
    assert (len([text for text in shown if text]) > 1) is streams


@EVERY
@STREAMED
async def test_a_tool_call_and_its_result(dialect: Dialect, stream: bool) -> None:
    def respond(body: Body) -> Reply:
        return dialect.answer(body, says(body))

    with scripted_endpoint(respond) as endpoint:
        model = model_at(endpoint, dialect, stream=stream)
        try:
            asking = await invoke_model(model, QUESTION, role="actor", tools=[look_up])
            [call] = asking.tool_calls
            assert (call["name"], call["args"]) == ("look_up", {"query": "Norway"})
            assert call["id"]
            result = ToolMessage("found: Oslo", tool_call_id=call["id"], name="look_up")
            answer = await invoke_model(
                model, [*QUESTION, asking, result], role="actor", tools=[look_up]
            )
        finally:
            await model.root_async_client.close()
    assert answer.text == "Oslo."


@EVERY
async def test_a_structured_answer(dialect: Dialect) -> None:
    with scripted_endpoint(lambda body: dialect.answer(body, says(body))) as endpoint:
        model = model_at(endpoint, dialect)
        try:
            for _ in range(2):
                city, _usage = await invoke_structured(model, QUESTION, City, role="critic")
                assert city.name == "Oslo"
        finally:
            await model.root_async_client.close()


@EVERY
@STREAMED
async def test_a_choice_with_log_probabilities_where_it_gives_them(
    dialect: Dialect, stream: bool
) -> None:
    reply, requests = await ask(dialect, stream=stream, logprobs=True)
    assert reply.text == "Oslo is the capital."
    assert len(requests) == 1


@EVERY
@STREAMED
async def test_a_refusal_is_told_with_its_reason(dialect: Dialect, stream: bool) -> None:
    refusal, words = dialect.declined
    with scripted_endpoint(lambda body: refusal) as endpoint:
        model = model_at(endpoint, dialect, stream=stream)
        try:
            with pytest.raises(PersonaAgentError) as caught:
                await invoke_model(model, QUESTION, role="actor")
        finally:
            await model.root_async_client.close()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "a-secret-key" not in str(caught.value)
    assert len(endpoint.requests) == 1


@EVERY
async def test_what_it_refuses_is_said_once(dialect: Dialect) -> None:
    memory = EndpointMemory()
    with scripted_endpoint(lambda body: dialect.answer(body, says(body))) as endpoint:
        model = model_at(endpoint, dialect, memory, stream=True)
        try:
            await invoke_model(with_logprobs(model), QUESTION, role="actor", tools=[look_up])
            told = memory.take_notices()
            await invoke_model(with_logprobs(model), QUESTION, role="actor", tools=[look_up])
        finally:
            await model.root_async_client.close()
    assert len(told) == len(set(told))
    assert all(dialect.model in notice for notice in told)
    assert memory.take_notices() == []


def test_the_table_names_every_scripted_endpoint() -> None:
    page = (Path(__file__).parents[3] / "docs" / "endpoints.md").read_text("utf-8")
    rows = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")}
    assert {dialect.name for dialect in DIALECTS} <= rows
    refused = [part for dialect in DIALECTS for part in dialect.refused]
    assert all(part in page for part in refused)
