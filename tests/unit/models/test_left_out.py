"""Requests without what an endpoint refuses."""

from typing import Any

import pytest

from personaagent.models.refusals import (
    FEWER_LOGPROBS,
    LOGPROBS,
    RENAMED,
    SYSTEM,
    left_out,
    without,
)
from tests.unit.models.test_refusals import SENT


def test_a_part_is_left_out_whole() -> None:
    assert without(SENT, ["temperature", "seed"]).keys() == SENT.keys() - {"temperature", "seed"}
    assert without(SENT, []) == SENT


def test_more_than_five_log_probabilities_become_five_and_then_none() -> None:
    assert left_out("top_logprobs", SENT) == FEWER_LOGPROBS
    fewer = without(SENT, [FEWER_LOGPROBS])
    assert fewer["top_logprobs"] == 5
    assert left_out("logprobs", fewer) == LOGPROBS
    assert not without(fewer, [LOGPROBS]).keys() & {"logprobs", "top_logprobs"}


def test_the_limit_of_tokens_takes_its_older_name_and_then_none() -> None:
    renamed = without(SENT, [RENAMED])
    assert renamed["max_tokens"] == 400
    assert RENAMED not in renamed
    assert "max_tokens" not in without(SENT, [RENAMED, "max_tokens"])


@pytest.mark.parametrize("content", ["Hello", [{"type": "text", "text": "Hello"}]])
def test_system_messages_begin_the_first_message_of_the_user(content: Any) -> None:
    messages = [SENT["messages"][0], {"role": "user", "content": content}]
    [first] = without(SENT | {"messages": messages}, [SYSTEM])["messages"]
    assert first["role"] == "user"
    assert str(first["content"]).index("Be kind.") < str(first["content"]).index("Hello")
    assert messages[1]["content"] == content
