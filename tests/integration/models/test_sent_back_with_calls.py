"""What goes back to an endpoint with a tool call: its signature, and reasoning where it is demanded."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tests.support.endpoint import Reply, Status, scripted_endpoint
from tests.support.oslo_question import ASKS, OSLO, SAID, THOUGHT, ask, look_up, look_up_call
from tests.support.replies import both, whole


def step(body: dict[str, Any]) -> dict[str, Any]:
    """The assistant's message with the tool call in a request."""
    [message] = [m for m in body["messages"] if m.get("tool_calls")]
    return dict(message)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_signature_that_came_with_a_call_goes_back_with_it_in_the_same_turn(
    stream: bool,
) -> None:
    signed = {"google": {"thought_signature": "sig"}}
    calls = {"tool_calls": [look_up_call(OSLO, id="a", index=0, extra_content=signed)]}
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
            return whole({"reasoning_content": THOUGHT, "tool_calls": [look_up_call(OSLO, id="a")]})
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
