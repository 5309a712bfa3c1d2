"""Tool calls in a reply, in whatever shape, over real HTTP: each can be run and sent back."""

import json
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from tests.support.endpoint import Raw, scripted_endpoint
from tests.support.oslo_question import ASKS, OSLO, THOUGHT, answer, ask, look_up, look_up_call
from tests.support.replies import both, texts, whole

CALLS = {
    "no id": both(
        {"tool_calls": [look_up_call(OSLO)]}, [{"tool_calls": [look_up_call(OSLO, index=0)]}]
    ),
    "an empty id": both(
        {"tool_calls": [look_up_call(OSLO, id="")]},
        [{"tool_calls": [look_up_call(OSLO, id="", index=0)]}],
    ),
    "arguments as an object": both(
        {"tool_calls": [look_up_call({"query": "Oslo"}, id="a")]},
        [{"tool_calls": [look_up_call({"query": "Oslo"}, id="a", index=0)]}],
    ),
    "arguments encoded twice": both(
        {"tool_calls": [look_up_call(json.dumps(OSLO), id="a")]},
        [{"tool_calls": [look_up_call(json.dumps(OSLO), id="a", index=0)]}],
    ),
    "as Python writes them": both(
        {"tool_calls": [look_up_call("{'query': 'Oslo'}", id="a")]},
        [{"tool_calls": [look_up_call("{'query': 'Oslo'}", id="a", index=0)]}],
    ),
    "in a fence": both(
        {"tool_calls": [look_up_call(f"```json\n{OSLO}\n```", id="a")]},
        [{"tool_calls": [look_up_call(f"```json\n{OSLO}\n```", id="a", index=0)]}],
    ),
    "no index": both(
        {"tool_calls": [look_up_call(OSLO, id="a")]}, [{"tool_calls": [look_up_call(OSLO, id="a")]}]
    ),
    "the id in each part": both(
        {"tool_calls": [look_up_call(OSLO, id="a")]},
        [
            {"tool_calls": [look_up_call("", id="a", index=0)]},
            {"tool_calls": [look_up_call(OSLO[:8], id="a", index=0)]},
            {"tool_calls": [look_up_call(OSLO[8:], id="a", index=0)]},
        ],
    ),
    "the id in the first part": both(
        {"tool_calls": [look_up_call(OSLO, id="a")]},
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [look_up_call("", id="a", index=0)],
            },
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
        {"content": f"<think>{THOUGHT}</think>", "tool_calls": [look_up_call(OSLO, id="a")]},
        [
            *texts("<think>", THOUGHT, "</think>"),
            {"tool_calls": [look_up_call(OSLO, id="a", index=0)]},
        ],
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
        {k: v for k, v in look_up_call(arguments, id=id_, index=index).items() if v is not None}
        for arguments, (id_, index) in zip((OSLO, ROME), pair, strict=True)
    ]
    reply = both({"tool_calls": calls}, [{"tool_calls": [each]} for each in calls])[stream]

    message = await answer(reply, stream=stream, tools=[look_up])

    assert [each["args"] for each in message.tool_calls] == [{"query": "Oslo"}, {"query": "Rome"}]
    assert len({each["id"] for each in message.tool_calls}) == 2
    assert None not in {each["id"] for each in message.tool_calls}


async def test_an_id_that_the_conversation_holds_already_is_not_used_again() -> None:
    first = await answer(
        whole({"tool_calls": [look_up_call(OSLO, id="call_0")]}), stream=False, tools=[look_up]
    )
    talk = [*ASKS, first, ToolMessage("A city.", tool_call_id="call_0")]

    with scripted_endpoint(
        lambda body: whole({"tool_calls": [look_up_call(ROME, id="call_0")]})
    ) as endpoint:
        second = await ask(endpoint, stream=False, messages=talk, tools=[look_up])

    assert first.tool_calls[0]["id"] == "call_0"
    assert second.tool_calls[0]["id"] != "call_0"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("arguments", ['{"query": "Os', "Oslo", "[1]", "{ no JSON"])
async def test_broken_arguments_are_left_to_the_tool_to_refuse(
    arguments: str, stream: bool
) -> None:
    calls = [look_up_call(arguments, id="a", index=0)]
    reply = both({"tool_calls": calls}, [{"tool_calls": calls}])[stream]

    message = await answer(reply, stream=stream, tools=[look_up])

    assert [each["args"] for each in message.tool_calls] == [{}]
