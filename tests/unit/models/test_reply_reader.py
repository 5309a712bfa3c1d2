"""What is read out of a reply, piece by piece, beyond what tests of replies see over HTTP."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from personaagent.models.reply_reader import ReplyReader

OSLO = {"query": "Oslo"}
WRITTEN = {
    "Qwen": '<tool_call>\n{"name": "look_up", "arguments": {"query": "Oslo"}}\n</tool_call>',
    "no end": '<tool_call>{"name": "look_up", "arguments": {"query": "Oslo"}}',
    "Mistral": '[TOOL_CALLS][{"name": "look_up", "arguments": {"query": "Oslo"}}]',
    "Llama": '<|python_tag|>{"name": "look_up", "parameters": {"query": "Oslo"}}',
    "Llama, function": '<function=look_up>{"query": "Oslo"}</function>',
    "Qwen-Coder": "<tool_call>\n<function=look_up>\n<parameter=query>\nOslo\n</parameter>\n"
    "</function>\n</tool_call>",
    "after reasoning": "<think>Hm.</think>\n"
    '<tool_call>{"name": "look_up", "arguments": {"query": "Oslo"}}</tool_call>',
}


def read(text: str, size: int = 1000, logprobs: Any = None, **options: bool) -> AIMessageChunk:
    reader, whole = ReplyReader(**options), AIMessageChunk(content="")
    for start in range(0, len(text), size):
        delta = {"content": text[start : start + size]}
        if chunk := reader.read({"choices": [{"delta": delta, "logprobs": logprobs}]}):
            whole += chunk  # type: ignore[assignment]
    return whole + reader.end(done=True)  # type: ignore[return-value]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_call_that_is_written_into_the_text_is_a_call(text: str, size: int) -> None:
    message = read(text, size, offers_tools=True)

    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("look_up", OSLO)]
    assert message.text == ""


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_words_before_such_a_call_are_text(size: int) -> None:
    message = read("Let me look. " + WRITTEN["Qwen"], size, offers_tools=True)

    assert message.text == "Let me look. "
    assert len(message.tool_calls) == 1


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    "text", ["Write <tool_call> before it.", "a <too", "[TOOL_CALLS] is a mark.", "x < y", "[1]"]
)
def test_a_mark_without_a_call_is_text(text: str, size: int) -> None:
    message = read(text, size, offers_tools=True)

    assert (message.text, message.tool_calls) == (text, [])


def test_without_tools_nothing_is_a_call() -> None:
    assert read(WRITTEN["Qwen"]).text == WRITTEN["Qwen"]


def test_log_probabilities_are_those_of_the_answer() -> None:
    tokens = ["<think>", "Drama", "?", "</think>", "\n\n", "Com", "edy"]
    logprobs = {"content": [{"token": token, "logprob": -0.1} for token in tokens]}

    message = read("".join(tokens), logprobs=logprobs)

    assert message.text == "Comedy"
    shown = message.response_metadata["logprobs"]["content"]
    assert [token["token"] for token in shown] == ["Com", "edy"]
    assert json.dumps(message.response_metadata)
