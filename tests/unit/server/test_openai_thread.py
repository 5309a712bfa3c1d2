"""A thread as the conversation of a client that sends all of it again each time."""

from typing import Any

import pytest

from personaagent.server.routes.openai_records import ChatMessage
from personaagent.server.routes.openai_thread import difference, sent

KEPT: list[dict[str, Any]] = [
    {"id": "s", "type": "system", "content": "Be brief."},
    {"id": "h1", "type": "human", "content": "One?"},
    {"id": "a1", "type": "ai", "content": "1."},
    {"id": "h2", "type": "human", "content": [{"type": "text", "text": "Two?"}]},
    {"id": "a2", "type": "ai", "content": "2."},
]
"""What a thread holds."""


def conversation(*texts: str) -> list[ChatMessage]:
    roles = ("user", "assistant") * len(texts)
    return [
        ChatMessage.model_validate({"role": role, "content": text})
        for role, text in zip(roles, texts, strict=False)
    ]


@pytest.mark.parametrize(
    ("said", "left", "joined"),
    [
        (["One?", "1.", "Two?", "2.", "Three?"], [], ["Three?"]),
        (["Three?"], [], ["Three?"]),
        (["Two?", "2.", "Three?"], [], ["Three?"]),
        (["Else?", "0.", "Three?"], [], ["Three?"]),
        (["One?", "1.", "Two, then?"], ["h2", "a2"], ["Two, then?"]),
        (["One?", "1.", "Two?"], ["h2", "a2"], ["Two?"]),
        (["One?", "edited", " Two? ", "edited", "Three?"], [], ["Three?"]),
    ],
    ids=["goes-on", "new-alone", "window", "other", "edited", "regenerated", "answers-differ"],
)
def test_what_is_new_joins_and_what_was_edited_away_leaves(
    said: list[str], left: list[str], joined: list[str]
) -> None:
    told = difference(KEPT, conversation(*said))
    assert [each["id"] for each in told if each["role"] == "remove"] == left
    assert [each["content"] for each in told if each["role"] == "user"] == joined


def test_a_thread_with_nothing_in_it_gets_all() -> None:
    told = difference([], conversation("One?", "1.", "Two?"))
    assert [each["role"] for each in told] == ["user", "assistant", "user"]


def test_a_question_that_came_again_and_again_takes_nothing_back() -> None:
    again = [{"id": f"h{n}", "type": "human", "content": "Again?"} for n in range(3)]
    assert [each["role"] for each in difference(again, conversation("Again?", "x", "Again?"))] == [
        "user"
    ]


def test_new_system_messages_replace_those_of_before() -> None:
    given = [ChatMessage(role="system", content="Be kind."), *conversation("One?", "1.", "Two?")]
    told = difference(KEPT, given)
    assert [each.get("id") for each in told if each["role"] == "system"] == ["system-of-the-client"]
    assert "s" not in [each["id"] for each in told if each["role"] == "remove"]


def test_the_clients_system_messages_are_one_at_the_beginning() -> None:
    given = [
        ChatMessage(role="system", content="Be brief."),
        ChatMessage(role="user", content="Hello."),
        ChatMessage(role="assistant", tool_calls=[{"id": "c"}]),
        ChatMessage(role="developer", content=[{"type": "text", "text": "Be kind."}, {}]),
    ]
    first, question, call = sent(given)
    assert (first["role"], first["content"]) == ("system", "Be brief.\n\nBe kind.")
    assert question == {"role": "user", "content": "Hello."}
    assert call == {"role": "assistant", "content": "", "tool_calls": [{"id": "c"}]}


def test_of_a_message_nothing_else_is_taken() -> None:
    given = {"role": "user", "content": "x", "id": "m1", "additional_kwargs": {"unanswered": True}}
    assert sent([ChatMessage.model_validate(given)]) == [{"role": "user", "content": "x"}]
