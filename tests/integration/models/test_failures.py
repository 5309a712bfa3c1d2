"""Every way in which an endpoint fails, over real HTTP: the right error, in one sentence."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool, tool

from personaagent.core.errors import (
    ConfigurationError,
    ModelError,
    ModelUnavailable,
    PersonaAgentError,
)
from personaagent.core.records import RoleUsage
from personaagent.models.chat import connect
from personaagent.models.invoke import invoke_model, is_transient
from personaagent.models.usage import usage_of
from tests.support.endpoint import (
    Cut,
    Endpoint,
    Raw,
    Reply,
    Stall,
    Status,
    ToolCall,
    scripted_endpoint,
)

SOON = {"Retry-After": "0.01"}
TOO_LONG = "This model's maximum context length is 4096 tokens; you asked for 5000.\nShorten it."
NO_CHOICES_STREAM = 'data: {"choices": []}\n\ndata: [DONE]\n\n'
ERROR_STREAM = 'data: {"error": {"message": "out of memory"}}\n\n'


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return query


async def ask(
    endpoint: Endpoint,
    *,
    stream: bool = False,
    tools: list[BaseTool] | None = None,
    response_format: dict[str, Any] | None = None,
) -> AIMessage:
    model = connect("scripted", endpoint.base_url, "a-key", timeout=0.3, retries=1)
    model.streaming = stream
    try:
        return await invoke_model(
            model,
            [HumanMessage("Where is Oslo?")],
            role="actor",
            tools=tools,
            response_format=response_format,
        )
    finally:
        await model.root_async_client.close()


async def failure(endpoint: Endpoint, *, stream: bool) -> PersonaAgentError:
    """The error that asking ends in, once it is seen to be fit to be shown."""
    with pytest.raises(PersonaAgentError) as caught:
        await ask(endpoint, stream=stream)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert "a-key" not in sentence
    return caught.value


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("reply", "kind", "words", "requests"),
    [
        (Status(401), ConfigurationError, ["OPENAI_API_KEY", "127.0.0.1"], 1),
        (Status(403), ConfigurationError, ["OPENAI_API_KEY", "127.0.0.1"], 1),
        (Status(404, "no model x"), ConfigurationError, ["OPENAI_BASE_URL", "no model x"], 1),
        (Status(400, "bad\nfield"), ModelError, ["400", "bad field"], 1),
        (Status(400, TOO_LONG), ModelError, ["longer than", "4096"], 1),
        (Status(422), ModelError, ["422"], 1),
        (Status(429, "slow down", SOON), ModelUnavailable, ["429", "slow down"], 2),
        (Status(500, headers=SOON), ModelUnavailable, ["500"], 2),
        (Status(503, headers=SOON), ModelUnavailable, ["503"], 2),
        (Stall(), ModelUnavailable, ["stopped answering"], 2),
        (Raw("{nope"), ModelError, ["cannot be read"], 1),
        (Raw("null"), ModelError, ["cannot be read"], 1),
        (Raw("<html>Sign in</html>", "text/html"), ModelError, ["cannot be read"], 1),
        (Raw('{"choices": []}'), ModelError, ["cannot be read"], 1),
    ],
    ids=lambda value: str(value)[:40] if not isinstance(value, list) else "",
)
async def test_a_request_that_fails_before_the_answer(
    reply: Reply,
    kind: type[ModelError],
    words: list[str],
    requests: int,
    stream: bool,
) -> None:
    with scripted_endpoint(lambda body: reply) as endpoint:
        error = await failure(endpoint, stream=stream)
    assert type(error) is kind
    assert all(word in str(error) for word in words)
    assert error.__cause__ is not None
    assert not is_transient(error)
    assert len(endpoint.requests) == requests


@pytest.mark.parametrize("reply", [Cut(), Stall("Half an")], ids=["cut", "stall"])
async def test_a_whole_answer_that_breaks_off_is_asked_for_again_by_the_client(
    reply: Reply,
) -> None:
    with scripted_endpoint(lambda body: reply) as endpoint:
        error = await failure(endpoint, stream=False)
    assert isinstance(error, ModelUnavailable)
    assert not is_transient(error)
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [Cut(), Cut(clean=True), Stall("Half an"), Raw(ERROR_STREAM, "text/event-stream")],
    ids=["cut", "ends early", "stall", "error event"],
)
async def test_a_stream_that_breaks_off_is_left_to_the_caller_to_try_again(reply: Reply) -> None:
    with scripted_endpoint(lambda body: reply) as endpoint:
        error = await failure(endpoint, stream=True)
    assert isinstance(error, ModelUnavailable)
    assert is_transient(error)
    assert len(endpoint.requests) == 1


async def test_a_stream_without_choices_is_refused() -> None:
    reply = Raw(NO_CHOICES_STREAM, "text/event-stream")
    with scripted_endpoint(lambda body: reply) as endpoint:
        error = await failure(endpoint, stream=True)
    assert isinstance(error, ModelError)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
    ids=["no HTTP", "no length", "no chunk"],
)
async def test_what_listens_at_the_address_speaks_no_http(said: bytes, stream: bool) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        model = connect("m", f"http://127.0.0.1:{port}/v1", "k", timeout=5, retries=0)
        model.streaming = stream
        with pytest.raises(ModelError, match=r"cannot be read .* check OPENAI_BASE_URL") as caught:
            await invoke_model(model, [HumanMessage("Where?")], role="actor")
        await model.root_async_client.close()
    assert "\n" not in str(caught.value)


async def test_nothing_listens_at_the_address() -> None:
    with scripted_endpoint(lambda body: "never asked") as endpoint:
        pass
    error = await failure(endpoint, stream=False)
    assert type(error) is ModelUnavailable
    assert "cannot be reached" in str(error)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_empty_answer_is_refused(stream: bool) -> None:
    with scripted_endpoint(lambda body: " \n") as endpoint:
        error = await failure(endpoint, stream=stream)
    assert isinstance(error, ModelError)
    assert "empty" in str(error)


async def test_a_request_that_works_the_second_time_is_answered() -> None:
    replies: Iterator[Reply] = iter([Status(500, headers=SOON), "In Norway."])
    with scripted_endpoint(lambda body: next(replies)) as endpoint:
        answer = await ask(endpoint)
    assert answer.text == "In Norway."
    assert [r.body["messages"][-1]["content"] for r in endpoint.requests] == ["Where is Oslo?"] * 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_arguments_that_are_no_json_become_a_call_without_arguments(stream: bool) -> None:
    def responder(body: dict[str, Any]) -> Reply:
        assert [t["function"]["name"] for t in body["tools"]] == ["look_up"]
        return [ToolCall("look_up", "no json at all"), ToolCall("look_up", {"query": "Oslo"})]

    with scripted_endpoint(responder) as endpoint:
        answer = await ask(endpoint, stream=stream, tools=[look_up])
    assert [call["args"] for call in answer.tool_calls] == [{"query": "Oslo"}, {}]
    assert not answer.invalid_tool_calls


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_the_form_of_an_answer_reaches_the_endpoint(stream: bool) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    with scripted_endpoint(lambda body: "{}") as endpoint:
        await ask(endpoint, stream=stream, response_format=form)
    assert endpoint.requests[0].body["response_format"] == form
    assert not endpoint.requests[0].body.get("stream")


async def test_an_answer_in_a_form_that_is_cut_at_its_token_limit_is_refused() -> None:
    choice = {"index": 0, "message": {"content": '{"a'}, "finish_reason": "length"}
    reply = Raw(json.dumps({"id": "1", "model": "m", "choices": [choice]}))
    with (
        scripted_endpoint(lambda body: reply) as endpoint,
        pytest.raises(ModelError, match="token limit"),
    ):
        await ask(endpoint, response_format={"type": "json_object"})


async def test_a_tool_nobody_offered_is_passed_on_for_the_tool_node_to_refuse() -> None:
    with scripted_endpoint(lambda body: [ToolCall("fly", {"to": "Oslo"})]) as endpoint:
        answer = await ask(endpoint, tools=[look_up])
    assert [call["name"] for call in answer.tool_calls] == ["fly"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_tokens_are_counted(stream: bool) -> None:
    with scripted_endpoint(lambda body: "In the south of Norway.") as endpoint:
        usage = usage_of(await ask(endpoint, stream=stream))
    assert usage == RoleUsage(llm_calls=1, input_tokens=3, output_tokens=5)
