"""What an endpoint refuses by name is left out, over real HTTP: once found, never sent again."""

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool

from personaagent.core.errors import ModelError
from personaagent.core.settings import Settings
from personaagent.models.chat import Models, connect
from personaagent.models.endpoint_memory import FILE, EndpointMemory
from personaagent.models.invoke import invoke_model
from tests.support.command import scripted_command
from tests.support.endpoint import Endpoint, Raw, Reply, Status, ToolCall, scripted_endpoint

LIMITS = ["max_completion_tokens", "max_tokens"]
NAMES = [["temperature"], ["seed"], LIMITS[:1], LIMITS, ["temperature", "seed", *LIMITS]]


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return query


async def ask(
    endpoint: Endpoint,
    memory: EndpointMemory | None = None,
    *,
    stream: bool = True,
    finds_tools: bool = True,
    tools: bool = False,
    **options: Any,
) -> AIMessage:
    model = connect(
        "m",
        endpoint.base_url,
        "k",
        timeout=5,
        retries=0,
        memory=memory,
        finds_tools=finds_tools,
    )
    model = model.model_copy(update=({"streaming": True} if stream else {}) | options)
    try:
        return await invoke_model(
            model,
            [SystemMessage("Be kind."), HumanMessage("Where is Oslo?")],
            role="actor",
            tools=[look_up] if tools else None,
        )
    finally:
        await model.root_async_client.close()


def refusing(*names: str, answer: Reply = "In Norway.") -> Callable[[dict[str, Any]], Reply]:
    """An endpoint that refuses these parameters one at a time, even where they are false."""

    def respond(body: dict[str, Any]) -> Reply:
        refused = next((name for name in names if name in body), None)
        return Status(400, f"Unrecognized request argument: {refused}") if refused else answer

    return respond


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("names", NAMES, ids=",".join)
async def test_a_parameter_that_is_refused_is_left_out_from_then_on(
    names: list[str], stream: bool
) -> None:
    memory = EndpointMemory()
    with scripted_endpoint(refusing(*names)) as endpoint:
        first = await ask(endpoint, memory, stream=stream, max_tokens=50, seed=1)
        asked = len(endpoint.requests)
        again = await ask(endpoint, memory, stream=stream, max_tokens=50, seed=1)
    assert [first.text, again.text] == ["In Norway."] * 2
    assert first.response_metadata["finish_reason"] == "stop"
    assert len(endpoint.requests) == asked + 1
    assert not set(names) & endpoint.requests[-1].body.keys()
    notices = memory.take_notices()
    assert notices
    assert all("m " in notice for notice in notices)
    assert memory.take_notices() == []


async def test_an_endpoint_that_cannot_stream_answers_whole_from_then_on() -> None:
    memory = EndpointMemory()
    with scripted_endpoint(refusing("stream")) as endpoint:
        replies = [await ask(endpoint, memory) for _ in range(2)]
    assert [reply.text for reply in replies] == ["In Norway."] * 2
    assert [r.body.keys() & {"stream", "stream_options"} for r in endpoint.requests[1:]] == [
        set()
    ] * 2
    assert len(memory.take_notices()) == 1


async def test_a_model_that_only_streams_is_asked_for_streams() -> None:
    memory = EndpointMemory()

    def respond(body: dict[str, Any]) -> Reply:
        only = "This model only support stream mode, please enable the stream parameter."
        return "In Norway." if body.get("stream") else Status(400, only)

    with scripted_endpoint(respond) as endpoint:
        replies = [await ask(endpoint, memory, stream=False) for _ in range(2)]
    assert [reply.text for reply in replies] == ["In Norway."] * 2
    assert len(endpoint.requests) == 3


async def test_tokens_of_a_stream_that_cannot_be_counted_are_not_asked_for() -> None:
    with scripted_endpoint(refusing("stream_options")) as endpoint:
        assert (await ask(endpoint)).text == "In Norway."
    assert [request.body["stream"] for request in endpoint.requests] == [True, True]


async def test_what_is_not_refused_is_sent() -> None:
    with scripted_endpoint(refusing("temperature")) as endpoint:
        await ask(endpoint, seed=1, max_tokens=50)
    body = endpoint.requests[-1].body
    assert (body["seed"], body["max_completion_tokens"], body["stream"]) == (1, 50, True)


async def test_a_refusal_that_comes_as_an_event_of_a_stream() -> None:
    event = {"error": {"message": "'temperature' is not supported", "code": 400}}

    def respond(body: dict[str, Any]) -> Reply:
        if "temperature" in body:
            return Raw(f"data: {json.dumps(event)}\n\n", "text/event-stream")
        return "In Norway."

    with scripted_endpoint(respond) as endpoint:
        assert (await ask(endpoint)).text == "In Norway."


async def test_only_an_answer_proves_a_refusal() -> None:
    memory = EndpointMemory()

    def respond(body: dict[str, Any]) -> Reply:
        named = "temperature is wrong, " if "temperature" in body else ""
        return Status(400, f"{named}it cannot be")

    with scripted_endpoint(respond) as endpoint, pytest.raises(ModelError, match="it cannot be"):
        await ask(endpoint, memory)
    assert memory.left_out(endpoint.base_url, "m") == frozenset()
    assert memory.take_notices() == []


async def test_an_endpoint_that_refuses_the_same_part_for_ever_is_not_asked_for_ever() -> None:
    with scripted_endpoint(lambda body: Status(400, "no seed, no temperature")) as endpoint:
        with pytest.raises(ModelError, match="no seed"):
            await ask(endpoint, seed=1)
        assert len(endpoint.requests) == 3


def without_tools(body: dict[str, Any]) -> Reply:
    """A model that cannot call tools, and chooses them in JSON."""
    if "tools" in body:
        return Status(400, "registry.ollama.ai/library/m does not support tools")
    if "response_format" in body:
        return json.dumps({"action": "look_up", "query": "Oslo"})
    return "In Norway."


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_tools_that_are_refused_are_chosen_in_json(stream: bool) -> None:
    memory = EndpointMemory()
    with scripted_endpoint(without_tools) as endpoint:
        replies = [await ask(endpoint, memory, tools=True, stream=stream) for _ in range(2)]
    for reply in replies:
        [call] = reply.tool_calls
        assert (call["name"], call["args"]) == ("look_up", {"query": "Oslo"})
    assert sum("tools" in request.body for request in endpoint.requests) == 1
    [notice] = memory.take_notices()
    assert "JSON" in notice


async def test_tools_that_only_this_conversation_spoils_are_sent_again_in_the_next() -> None:
    memory = EndpointMemory()

    def respond(body: dict[str, Any]) -> Reply:
        if "tools" in body:
            return Status(400, "Tool call id was call_1 but must have a length of 9")
        return without_tools(body)

    with scripted_endpoint(respond) as endpoint:
        assert (await ask(endpoint, memory, tools=True)).tool_calls
    assert memory.take_notices() == []
    assert memory.left_out(endpoint.base_url, "m") == frozenset()


async def test_a_model_that_can_call_tools_is_given_them() -> None:
    with scripted_endpoint(lambda body: [ToolCall("look_up", {"query": "Oslo"})]) as endpoint:
        reply = await ask(endpoint, tools=True)
    assert reply.tool_calls[0]["args"] == {"query": "Oslo"}
    assert len(endpoint.requests) == 1


async def test_native_tools_are_not_replaced_but_the_reason_and_the_remedy_are_told() -> None:
    with (
        scripted_endpoint(without_tools) as endpoint,
        pytest.raises(ModelError, match=r"PERSONAAGENT_TOOL_MODE.*does not support tools"),
    ):
        await ask(endpoint, tools=True, finds_tools=False)


async def test_system_messages_that_are_refused_begin_the_users_first_one() -> None:
    def respond(body: dict[str, Any]) -> Reply:
        roles = [message["role"] for message in body["messages"]]
        if "system" in roles:
            return Status(400, "System role not supported")
        assert roles == ["user"]
        assert body["messages"][0]["content"] == "Be kind.\n\nWhere is Oslo?"
        return "In Norway."

    with scripted_endpoint(respond) as endpoint:
        assert (await ask(endpoint)).text == "In Norway."


async def test_the_next_process_knows_it_and_another_model_is_asked_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with scripted_endpoint(refusing("temperature")) as endpoint:

        async def said(model: str) -> list[str]:
            models = Models(Settings(openai_base_url=endpoint.base_url, model=model, home=home))
            await invoke_model(await models.chat("actor"), [HumanMessage("Hi")], role="actor")
            await models.aclose()
            return models.take_notices()

        told = [await said("one"), await said("one"), await said("two")]
    assert [len(notices) for notices in told] == [1, 0, 1]
    assert [r.body.get("temperature") for r in endpoint.requests] == [0, None, None, 0, None]
    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600


async def test_many_requests_at_once_tell_it_once() -> None:
    memory = EndpointMemory()
    with scripted_endpoint(refusing("temperature")) as endpoint:
        replies = await asyncio.gather(*(ask(endpoint, memory) for _ in range(5)))
    assert [reply.text for reply in replies] == ["In Norway."] * 5
    assert len(memory.take_notices()) == 1


async def test_where_tools_are_to_be_native_they_are_sent_whatever_is_remembered() -> None:
    memory = EndpointMemory()
    with scripted_endpoint(without_tools) as endpoint:
        await ask(endpoint, memory, tools=True)
        with pytest.raises(ModelError, match="PERSONAAGENT_TOOL_MODE"):
            await ask(endpoint, memory, tools=True, finds_tools=False)


async def test_two_processes_add_to_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / FILE
    one, other = EndpointMemory(file), EndpointMemory(file)
    await one.ready()
    await other.ready()
    await one.keep("http://x", "m", ["seed"])
    await other.keep("http://x", "m", ["stop"])
    again = EndpointMemory(file)
    await again.ready()
    assert again.left_out("http://x", "m") == {"seed", "stop"}


async def test_the_file_names_no_credentials(tmp_path: Path) -> None:
    file = tmp_path / FILE
    memory = EndpointMemory(file)
    await memory.keep("https://me:secret@models.example/v1?key=secret", "m", ["seed"])
    assert "secret" not in file.read_text()
    assert "models.example/v1" in file.read_text()
    again = EndpointMemory(file)
    await again.ready()
    assert again.left_out("https://models.example/v1/", "m") == {"seed"}


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"m at x": "seed"}'])
async def test_a_damaged_file_is_as_good_as_none(content: str, tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(content)
    memory = EndpointMemory(file)
    await memory.ready()
    await memory.keep("http://x", "m", ["seed"])
    assert memory.left_out("http://x", "m") == {"seed"}


async def test_after_a_month_the_endpoint_is_asked_again(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(json.dumps({"m at http://x": {"seed": "2020-01-01"}}))
    memory = EndpointMemory(file)
    await memory.ready()
    assert memory.left_out("http://x", "m") == frozenset()


def test_the_user_is_told_once_whichever_command_comes_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with scripted_command(refusing("temperature"), monkeypatch, capsys, home) as (
        command,
        endpoint,
    ):
        first = command("ask", "Where is Oslo?", "-u", "ann", "--json")
        second = command("ask", "Where is Oslo?", "-u", "ann", "--json")
        plain = command("ask", "Where is Oslo?", "-u", "ann")
    assert [notice for notice in first.data["warnings"] if "temperature" in notice]
    assert second.data["warnings"] == []
    assert "temperature" not in plain.out + plain.err
    assert sum("temperature" in request.body for request in endpoint.requests) == 1
