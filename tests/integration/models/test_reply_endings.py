"""How a reply ended, over real HTTP: whole, cut, filtered, broken off, refused or without an answer."""

import json

import pytest

from personaagent.core.errors import ModelUnavailable, UnusableAnswer
from personaagent.models.ending import ending_of
from personaagent.models.invoke import is_transient
from personaagent.models.usage import usage_of
from tests.support.oslo_question import SAID, THOUGHT, answer
from tests.support.replies import both, events_of, streamed, texts


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


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_refusal_is_the_answer(stream: bool) -> None:
    refused = {"content": None, "refusal": "I cannot help with that."}
    message = await answer(both(refused, [refused])[stream], stream=stream)
    assert message.text == "I cannot help with that."


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
