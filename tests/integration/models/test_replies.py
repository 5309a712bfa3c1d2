"""What endpoints really send, over real HTTP, whole and in a stream: one message, as it is meant."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from personaagent.core.errors import (
    ConfigurationError,
    ModelError,
    ModelUnavailable,
    PersonaAgentError,
    UnusableAnswer,
)
from personaagent.models.chat import connect
from personaagent.models.ending import ending_of
from personaagent.models.invoke import invoke_model, is_transient
from personaagent.models.usage import usage_of
from tests.support.endpoint import Endpoint, Raw, Reply, Status, scripted_endpoint
from tests.support.replies import events_of, streamed, texts, whole

ASKS: list[AnyMessage] = [HumanMessage("Where is Oslo?")]


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return query


async def ask(endpoint: Endpoint, *, stream: bool, **options: Any) -> AIMessage:
    model = connect("m", endpoint.base_url, "k", timeout=2, retries=0)
    model.streaming = stream
    try:
        return await invoke_model(model, options.pop("messages", ASKS), role="actor", **options)
    finally:
        await model.root_async_client.close()


async def answer(reply: Reply, *, stream: bool, **options: Any) -> AIMessage:
    with scripted_endpoint(lambda body: reply) as endpoint:
        return await ask(endpoint, stream=stream, **options)


def both(message: dict[str, Any], deltas: list[dict[str, Any]], **more: Any) -> dict[bool, Raw]:
    return {False: whole(message, **more), True: streamed(*deltas, **more)}


THOUGHT, SAID = "Oslo? A city.", "In Norway."
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}
REASONED = {
    "tags": both(
        {"content": f"<think>\n{THOUGHT}\n</think>\n\n{SAID}"},
        texts("<thi", "nk>\n", THOUGHT, "\n</", "think>\n\nIn ", "Norway."),
    ),
    "no opening tag": both(
        {"content": f"{THOUGHT}\n</think>\n\n{SAID}"}, texts(THOUGHT, "\n</think>", "\n\n", SAID)
    ),
    "DeepSeek, llama.cpp": both(
        {"content": SAID, "reasoning_content": THOUGHT},
        [{"content": None, "reasoning_content": THOUGHT}, {"content": SAID}],
    ),
    "OpenRouter, Ollama": both(
        {"content": SAID, "reasoning": THOUGHT},
        [{"content": "", "reasoning": THOUGHT}, {"content": SAID, "reasoning": None}],
    ),
    "vLLM in both fields": both(
        {"content": SAID, "reasoning": THOUGHT, "reasoning_content": THOUGHT},
        [{"reasoning": THOUGHT, "reasoning_content": THOUGHT}, {"content": SAID}],
    ),
    "Mistral": both(
        {"content": [THINKING, {"type": "text", "text": SAID}]},
        [
            {"content": [THINKING]},
            {"content": [{"type": "text", "text": "In "}]},
            *texts("Norway."),
        ],
    ),
    "Gemini": both(
        {"content": f"<thought>{THOUGHT}</thought>{SAID}"},
        texts(f"<thought>{THOUGHT}", f"</thought>{SAID}"),
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("reply", REASONED.values(), ids=REASONED)
async def test_reasoning_is_no_part_of_the_message(reply: dict[bool, Raw], stream: bool) -> None:
    message = await answer(reply[stream], stream=stream)

    assert message.content == SAID
    assert THOUGHT not in message.model_dump_json()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_about_the_tags_keeps_them(stream: bool) -> None:
    says = "Write </think> at its end."
    reply = both({"content": f"<think>Tags?</think>{says}"}, texts("<think>Tags?</think>", says))
    assert (await answer(reply[stream], stream=stream)).text == says


async def test_reasoning_in_earlier_answers_is_not_sent_again() -> None:
    earlier = [*ASKS, AIMessage(f"<think>{THOUGHT}</think>{SAID}"), HumanMessage("And Rome?")]
    with scripted_endpoint(lambda body: "In Italy.") as endpoint:
        await ask(endpoint, stream=False, messages=earlier)

    assert [m["content"] for m in endpoint.requests[0].body["messages"]] == [
        "Where is Oslo?",
        SAID,
        "And Rome?",
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("content", "finish", "said"),
    [
        (f"<think>{THOUGHT}", "length", "token limit before it began"),
        (f"<think>{THOUGHT}</think>", "stop", "reasoned, but gave no answer"),
        (f"<think>{THOUGHT}", "stop", "reasoned, but gave no answer"),
        ("", "length", "token limit before it began"),
        ("", "stop", "empty answer"),
        ("", "content_filter", "content filter withheld"),
    ],
)
async def test_a_reply_without_an_answer_says_why(
    content: str, finish: str, said: str, stream: bool
) -> None:
    reply = both({"content": content}, texts(content), finish=finish)[stream]
    with pytest.raises(UnusableAnswer, match=said):
        await answer(reply, stream=stream)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_all_that_was_reasoned_beside_the_answer_is_no_answer(stream: bool) -> None:
    beside = {"content": None, "reasoning_content": THOUGHT}
    with pytest.raises(UnusableAnswer, match="token limit before it began"):
        await answer(both(beside, [beside], finish="length")[stream], stream=stream)


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    function = {"name": "look_up", "arguments": arguments}
    return {"type": "function", "function": function, **more}


OSLO = '{"query": "Oslo"}'
CALLS = {
    "no id": both({"tool_calls": [call(OSLO)]}, [{"tool_calls": [call(OSLO, index=0)]}]),
    "an empty id": both(
        {"tool_calls": [call(OSLO, id="")]}, [{"tool_calls": [call(OSLO, id="", index=0)]}]
    ),
    "arguments as an object": both(
        {"tool_calls": [call({"query": "Oslo"}, id="a")]},
        [{"tool_calls": [call({"query": "Oslo"}, id="a", index=0)]}],
    ),
    "arguments encoded twice": both(
        {"tool_calls": [call(json.dumps(OSLO), id="a")]},
        [{"tool_calls": [call(json.dumps(OSLO), id="a", index=0)]}],
    ),
    "as Python writes them": both(
        {"tool_calls": [call("{'query': 'Oslo'}", id="a")]},
        [{"tool_calls": [call("{'query': 'Oslo'}", id="a", index=0)]}],
    ),
    "in a fence": both(
        {"tool_calls": [call(f"```json\n{OSLO}\n```", id="a")]},
        [{"tool_calls": [call(f"```json\n{OSLO}\n```", id="a", index=0)]}],
    ),
    "no index": both({"tool_calls": [call(OSLO, id="a")]}, [{"tool_calls": [call(OSLO, id="a")]}]),
    "the id in each part": both(
        {"tool_calls": [call(OSLO, id="a")]},
        [
            {"tool_calls": [call("", id="a", index=0)]},
            {"tool_calls": [call(OSLO[:8], id="a", index=0)]},
            {"tool_calls": [call(OSLO[8:], id="a", index=0)]},
        ],
    ),
    "the id in the first part": both(
        {"tool_calls": [call(OSLO, id="a")]},
        [
            {"role": "assistant", "content": None, "tool_calls": [call("", id="a", index=0)]},
            {"tool_calls": [{"index": 0, "function": {"arguments": OSLO[:8]}}]},
            {"tool_calls": [{"index": 0, "function": {"name": None, "arguments": OSLO[8:]}}]},
        ],
    ),
    "the older function_call": both(
        {"function_call": {"name": "look_up", "arguments": OSLO}},
        [
            {"function_call": {"name": "look_up", "arguments": ""}},
            {"function_call": {"arguments": OSLO}},
        ],
    ),
    "with reasoning": both(
        {"content": f"<think>{THOUGHT}</think>", "tool_calls": [call(OSLO, id="a")]},
        [*texts("<think>", THOUGHT, "</think>"), {"tool_calls": [call(OSLO, id="a", index=0)]}],
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("reply", CALLS.values(), ids=CALLS)
async def test_a_tool_call_can_be_run_and_sent_back(reply: dict[bool, Raw], stream: bool) -> None:
    message = await answer(reply[stream], stream=stream, tools=[look_up])

    [asked] = message.tool_calls
    assert (asked["name"], asked["args"]) == ("look_up", {"query": "Oslo"})
    assert asked["id"]
    assert message.text == ""


ROME = '{"query": "Rome"}'
PAIRS = {
    "one id for both": (("a", 0), ("a", 1)),
    "no ids": ((None, 0), (None, 1)),
    "empty ids": (("", 0), ("", 1)),
    "one index for both": (("a", 0), ("b", 0)),
    "no indexes": (("a", None), ("b", None)),
    "neither": ((None, None), (None, None)),
    "one id and one index for both": (("a", 0), ("a", 0)),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
async def test_two_calls_stay_two_with_an_id_each(pair: Any, stream: bool) -> None:
    calls = [
        {k: v for k, v in call(arguments, id=id_, index=index).items() if v is not None}
        for arguments, (id_, index) in zip((OSLO, ROME), pair, strict=True)
    ]
    reply = both({"tool_calls": calls}, [{"tool_calls": [each]} for each in calls])[stream]

    message = await answer(reply, stream=stream, tools=[look_up])

    assert [each["args"] for each in message.tool_calls] == [{"query": "Oslo"}, {"query": "Rome"}]
    assert len({each["id"] for each in message.tool_calls}) == 2
    assert None not in {each["id"] for each in message.tool_calls}


async def test_an_id_that_the_conversation_holds_already_is_not_used_again() -> None:
    first = await answer(
        whole({"tool_calls": [call(OSLO, id="call_0")]}), stream=False, tools=[look_up]
    )
    talk = [*ASKS, first, ToolMessage("A city.", tool_call_id="call_0")]

    with scripted_endpoint(
        lambda body: whole({"tool_calls": [call(ROME, id="call_0")]})
    ) as endpoint:
        second = await ask(endpoint, stream=False, messages=talk, tools=[look_up])

    assert first.tool_calls[0]["id"] == "call_0"
    assert second.tool_calls[0]["id"] != "call_0"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("arguments", ['{"query": "Os', "Oslo", "[1]", "{ no JSON"])
async def test_broken_arguments_are_left_to_the_tool_to_refuse(
    arguments: str, stream: bool
) -> None:
    calls = [call(arguments, id="a", index=0)]
    reply = both({"tool_calls": calls}, [{"tool_calls": calls}])[stream]

    message = await answer(reply, stream=stream, tools=[look_up])

    assert [each["args"] for each in message.tool_calls] == [{}]


ERRORS = {
    "OpenRouter": {"error": {"code": 429, "message": "Slow down"}},
    "a text": {"error": "Slow down"},
    "vLLM": {"object": "error", "message": "Slow down", "type": "TooManyRequests", "code": 429},
    "Anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "Slow down"}},
    "Gemini": [{"error": {"code": 503, "message": "Slow down", "status": "UNAVAILABLE"}}],
    "Cloudflare": {"success": False, "errors": [{"code": 3040, "message": "Slow down"}]},
    "MiniMax": {"base_resp": {"status_code": 1002, "status_msg": "Slow down"}, "choices": None},
    "in a choice": {
        "choices": [
            {
                "index": 0,
                "finish_reason": "error",
                "message": {"content": ""},
                "error": {"code": 502, "message": "Slow down"},
            }
        ]
    },
    "a message alone": {"code": "Throttling", "message": "Slow down"},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
async def test_an_error_with_http_200_is_an_error(error: Any, stream: bool) -> None:
    with pytest.raises(ModelUnavailable, match="Slow down"):
        await answer(Raw(json.dumps(error)), stream=stream)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
async def test_an_error_amid_a_stream_is_asked_again(error: Any) -> None:
    part = json.dumps({"choices": [{"index": 0, "delta": {"content": "In "}}]})
    with scripted_endpoint(lambda body: events_of([part, json.dumps(error)])) as endpoint:
        model = connect("m", endpoint.base_url, "k", timeout=2, retries=1)
        model.streaming = True
        with pytest.raises(ModelUnavailable, match="Slow down") as caught:
            await invoke_model(model, ASKS, role="actor")
        await model.root_async_client.close()
    assert is_transient(caught.value)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 401, "message": "No such key"}, ConfigurationError),
        ({"type": "invalid_request_error", "message": "Bad field"}, ModelError),
        ({"code": "model_not_found", "message": "No such model"}, ConfigurationError),
        ({"code": "invalid_api_key", "message": "No such key"}, ConfigurationError),
    ],
)
async def test_an_error_with_http_200_that_stays_is_not_asked_again(
    error: dict[str, Any], kind: type[PersonaAgentError], stream: bool
) -> None:
    with (
        scripted_endpoint(lambda body: Raw(json.dumps({"error": error}))) as endpoint,
        pytest.raises(kind) as caught,
    ):
        await ask(endpoint, stream=stream)
    assert not is_transient(caught.value)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_error_with_http_200_is_retried_by_the_client(stream: bool) -> None:
    replies = iter([Raw('{"error": {"code": 503, "message": "busy"}}'), SAID])
    with scripted_endpoint(lambda body: next(replies)) as endpoint:
        model = connect("m", endpoint.base_url, "k", timeout=2, retries=1)
        model.streaming = stream
        message = await invoke_model(model, ASKS, role="actor")
        await model.root_async_client.close()
    assert message.text == SAID
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("finish", "ending"),
    [
        ("stop", "whole"),
        ("end_turn", "whole"),
        ("eos", "whole"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("content_filter", "filtered"),
        ("SAFETY", "filtered"),
        ("content_filter: PROHIBITED_CONTENT", "filtered"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
async def test_a_message_knows_why_it_ended(finish: str | None, ending: str, stream: bool) -> None:
    message = await answer(
        both({"content": SAID}, texts("In ", "Norway."), finish=finish)[stream], stream=stream
    )
    assert message.text == SAID
    assert ending_of(message) == ending


@pytest.mark.parametrize("finish", ["error", "insufficient_system_resource", "network_error"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_what_failed_on_the_other_side_is_asked_again(finish: str, stream: bool) -> None:
    reply = both({"content": "In"}, texts("In"), finish=finish)[stream]
    with pytest.raises(ModelUnavailable, match="broke off") as caught:
        await answer(reply, stream=stream)
    assert is_transient(caught.value)


async def test_a_stream_with_neither_an_ending_nor_done_broke_off() -> None:
    with pytest.raises(ModelUnavailable, match="broke off"):
        await answer(streamed(*texts("In "), finish=None, done=False), stream=True)


async def test_a_stream_that_says_its_ending_in_each_chunk_ends_once() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    chunks = [
        json.dumps(
            {"choices": [{"index": 0, "delta": d, "finish_reason": "length"}], "usage": usage}
        )
        for d in texts("In ", "Norway.")
    ]
    message = await answer(events_of([*chunks, "[DONE]"]), stream=True)

    assert (message.text, ending_of(message)) == (SAID, "length")
    assert (usage_of(message).input_tokens, usage_of(message).output_tokens) == (3, 2)


async def test_a_stream_is_read_however_it_is_framed() -> None:
    first = json.dumps(
        {"choices": [{"index": 0, "delta": {"content": "In\u2028"}}]}, ensure_ascii=False
    )
    last = json.dumps(
        {"choices": [{"delta": {"content": "Norway."}, "finish_reason": "stop"}]}, indent=1
    )
    framed = last.replace("\n", "\r\ndata: ")
    body = f": waiting\r\n\r\nevent: message\r\ndata:{first}\r\ndata: {framed}\r\n\r\n"

    assert (await answer(Raw(body, "text/event-stream"), stream=True)).text == "In\u2028Norway."


async def test_a_whole_reply_to_a_request_for_a_stream_is_read() -> None:
    assert (await answer(whole({"content": SAID}), stream=True)).text == SAID


async def test_a_stream_in_reply_to_a_request_for_a_whole_is_read() -> None:
    assert (await answer(streamed(*texts("In ", "Norway.")), stream=False)).text == SAID


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_refusal_is_the_answer(stream: bool) -> None:
    refused = {"content": None, "refusal": "I cannot help with that."}
    message = await answer(both(refused, [refused])[stream], stream=stream)
    assert message.text == "I cannot help with that."


def step(body: dict[str, Any]) -> dict[str, Any]:
    """The assistant's message with the tool call in a request."""
    [message] = [m for m in body["messages"] if m.get("tool_calls")]
    return dict(message)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_signature_that_came_with_a_call_goes_back_with_it_in_the_same_turn(
    stream: bool,
) -> None:
    signed = {"google": {"thought_signature": "sig"}}
    calls = {"tool_calls": [call(OSLO, id="a", index=0, extra_content=signed)]}
    replies = iter([both(calls, [calls])[stream], SAID, SAID])
    with scripted_endpoint(lambda body: next(replies)) as endpoint:
        first = await ask(endpoint, stream=stream, tools=[look_up])
        talk = [*ASKS, first, ToolMessage("A city.", tool_call_id="a")]
        await ask(endpoint, stream=stream, tools=[look_up], messages=talk)
        later = [*talk, AIMessage(SAID), HumanMessage("And Rome?")]
        await ask(endpoint, stream=stream, tools=[look_up], messages=later)

    assert step(endpoint.requests[1].body)["tool_calls"][0]["extra_content"] == signed
    assert "sig" not in json.dumps(endpoint.requests[2].body)


async def test_reasoning_goes_back_with_a_call_only_where_the_endpoint_demands_it() -> None:
    def script(body: dict[str, Any]) -> Reply:
        if body["messages"][-1]["role"] == "user":
            return whole({"reasoning_content": THOUGHT, "tool_calls": [call(OSLO, id="a")]})
        if "reasoning_content" not in step(body):
            return Status(400, "The reasoning_content in the thinking mode must be passed back")
        assert step(body)["reasoning_content"] == THOUGHT
        return SAID

    with scripted_endpoint(script) as endpoint:
        first = await ask(endpoint, stream=False, tools=[look_up])
        talk = [*ASKS, first, ToolMessage("A city.", tool_call_id="a")]
        message = await ask(endpoint, stream=False, tools=[look_up], messages=talk)

    assert message.text == SAID
    assert THOUGHT not in first.model_dump_json()
    assert THOUGHT not in json.dumps(endpoint.requests[1].body)
