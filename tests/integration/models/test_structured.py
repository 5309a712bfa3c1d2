"""Structured answers of endpoints with and without grammars, over real HTTP."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from personaagent.core.errors import ModelError, ModelUnavailable, UnusableAnswer
from personaagent.core.records import RoleUsage
from personaagent.models.chat import connect
from personaagent.models.endpoint_memory import EndpointMemory
from personaagent.models.endpoint_model import EndpointModel
from personaagent.models.invoke import invoke_model
from personaagent.models.structured import invoke_structured
from personaagent.models.structured_tools import StructuredToolsModel
from tests.support.endpoint import Endpoint, Reply, Status, scripted_endpoint
from tests.support.replies import whole


class City(BaseModel):
    name: str
    people: int


OSLO = '{"name": "Oslo", "people": 717000}'
ASKS = [HumanMessage("Name a city.")]
Script = Callable[[dict[str, Any]], Reply]


def form_of(body: dict[str, Any]) -> str:
    return str(body.get("response_format", {}).get("type", "words"))


NO_SUCH_FORM = Status(400, "no such response_format")


def takes(*forms: str, refusal: Reply = NO_SUCH_FORM, says: str = OSLO) -> Script:
    """An endpoint that takes these forms; one that is not a grammar is told the schema in words."""

    def script(body: dict[str, Any]) -> Reply:
        if form_of(body) not in forms:
            return refusal
        told = (
            "JSON" in body["messages"][-1]["content"]
            and "people" in body["messages"][-1]["content"]
        )
        assert told == (form_of(body) != "json_schema")
        return says

    return script


@asynccontextmanager
async def asked(script: Script, **options: Any) -> AsyncIterator[tuple[EndpointModel, Endpoint]]:
    with scripted_endpoint(script) as endpoint:
        model = connect("m", endpoint.base_url, "k", timeout=2, retries=0, **options)
        try:
            yield model, endpoint
        finally:
            await model.root_async_client.close()


async def city(model: EndpointModel) -> tuple[City, RoleUsage]:
    return await invoke_structured(model, ASKS, City, role="critic")


@pytest.mark.parametrize(
    "refusal",
    [
        Status(400, "This response_format type is unavailable now"),
        Status(400, "Invalid value"),
        Status(422, "json_schema: extra fields not permitted"),
        Status(500, "failed to parse grammar"),
        Status(501, "Not implemented"),
    ],
    ids=lambda refusal: refusal.message,
)
@pytest.mark.parametrize(
    ("forms", "tried"),
    [
        (["json_schema"], ["json_schema"]),
        (["json_object"], ["json_schema", "json_object"]),
        (["words"], ["json_schema", "json_object", "words"]),
    ],
    ids=["grammar", "object", "words"],
)
async def test_the_surest_form_that_the_endpoint_takes_is_found_and_remembered(
    forms: list[str], tried: list[str], refusal: Reply
) -> None:
    memory = EndpointMemory()
    async with asked(takes(*forms, refusal=refusal), memory=memory) as (model, endpoint):
        assert (await city(model))[0] == City(name="Oslo", people=717000)
        assert [form_of(r.body) for r in endpoint.requests] == tried
        endpoint.requests.clear()
        await city(model)
        assert [form_of(r.body) for r in endpoint.requests] == tried[-1:]
    assert len(memory.take_notices()) == len(tried) - 1


@pytest.mark.parametrize(
    "says",
    [
        OSLO,
        f"```json\n{OSLO}\n```",
        f"Here it is:\n{OSLO}\nIs that right?",
        f"<think>\nOslo has {{many}} people.\n</think>\n{OSLO}",
        f"Oslo has many people: {{}}\n</think>\n\n{OSLO}",
        f'The schema is {{"name": "x"}}, so: {OSLO}',
        '{"name": "Oslo", "people": 717000,}',
        "{'name': 'Oslo', 'people': 717000}",
        f'{{"City": {OSLO}}}',
        f"{OSLO}\n\n{OSLO}",
    ],
)
@pytest.mark.parametrize("form", ["json_schema", "words"])
async def test_the_object_is_taken_out_of_what_stands_around_it(says: str, form: str) -> None:
    async with asked(takes(form, says=says)) as (model, _):
        assert (await city(model))[0] == City(name="Oslo", people=717000)


async def test_an_endpoint_that_ignores_the_form_is_asked_in_words_from_then_on() -> None:
    def script(body: dict[str, Any]) -> Reply:
        return OSLO if "JSON" in body["messages"][-1]["content"] else "Oslo, with 717,000 people."

    async with asked(script) as (model, endpoint):
        found, usage = await city(model)
        assert (found.name, usage.llm_calls) == ("Oslo", 2)
        await city(model)
    assert [form_of(r.body) for r in endpoint.requests] == ["json_schema", "words", "words"]


async def test_an_answer_that_is_all_reasoning_is_asked_for_in_words() -> None:
    def script(body: dict[str, Any]) -> Reply:
        if form_of(body) == "words":
            return OSLO
        return whole({"content": "", "reasoning_content": "Oslo is a city."})

    async with asked(script) as (model, endpoint):
        assert (await city(model))[0].name == "Oslo"
    assert [form_of(r.body) for r in endpoint.requests] == ["json_schema", "words"]


@pytest.mark.parametrize("says", ['{"name": "Oslo"}', '{"name": "Oslo", "people": "many"}'])
async def test_an_object_that_does_not_fit_is_refused(says: str) -> None:
    async with asked(lambda body: says) as (model, endpoint):
        with pytest.raises(UnusableAnswer, match="form that was asked for"):
            await city(model)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Status(400, "maximum context length is 4096 tokens"), ModelError, "longer than"),
        (Status(429, "slow down"), ModelUnavailable, "slow down"),
        (whole({"content": '{"name": "Os'}, finish="length"), UnusableAnswer, "token limit"),
        (whole({"content": ""}, finish="content_filter"), UnusableAnswer, "content filter"),
    ],
)
async def test_what_no_other_form_mends_is_asked_once(
    reply: Reply, kind: type[ModelError], said: str
) -> None:
    async with asked(lambda body: reply) as (model, endpoint):
        with pytest.raises(kind, match=said):
            await city(model)
    assert len(endpoint.requests) == 1


async def test_a_request_that_is_refused_in_each_form_says_why() -> None:
    async with asked(lambda body: Status(400, "this model is for embeddings")) as (model, _):
        with pytest.raises(ModelError, match="for embeddings"):
            await city(model)


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return query


@pytest.mark.parametrize("forms", [["json_schema"], ["json_object"], ["words"]])
@pytest.mark.parametrize(
    "says",
    [
        '{"action": "look_up", "query": "Oslo"}',
        '<think>Hm.</think>\n```json\n{"action": "look_up", "query": "Oslo"}\n```',
        '{"action": "look_up", "arguments": {"query": "Oslo"}}',
    ],
)
async def test_tools_are_chosen_in_whatever_form_the_endpoint_takes(
    forms: list[str], says: str
) -> None:
    def script(body: dict[str, Any]) -> Reply:
        return says if form_of(body) in forms else Status(400, "no such response_format")

    async with asked(script) as (model, _):
        wrapped = StructuredToolsModel(model=model)
        message = await invoke_model(wrapped, ASKS, role="actor", tools=[look_up])
    assert [call["args"] for call in message.tool_calls] == [{"query": "Oslo"}]


async def test_a_schema_reaches_the_endpoint_whole() -> None:
    async with asked(takes("json_schema")) as (model, endpoint):
        await city(model)
    [request] = endpoint.requests
    schema = request.body["response_format"]["json_schema"]
    assert schema["name"] == "City"
    assert json.dumps(schema["schema"]["required"]) == '["name", "people"]'
    assert not request.body.get("stream")
