"""Conversations of LibreChat, in all forms of its export, become exchanges."""

from datetime import UTC, datetime
from typing import Any

import pytest

from personaagent.memory.exchange.librechat import LibreChat
from personaagent.memory.exchange.messages import Exchange, exchanges
from tests.support.tree_exports import librechat, librechat_message


def texts(content: Any) -> list[tuple[str, str]]:
    assert LibreChat().recognises(content)
    found = exchanges(LibreChat().conversation(content).messages)
    return [(each.question.text, each.answer) for each in found if isinstance(each, Exchange)]


def messages() -> list[dict[str, Any]]:
    return [
        librechat_message("u1", "I live in Oslo.", by_user=True, minute=1),
        librechat_message("a1", "Noted: Oslo.", "u1", by_user=False, minute=2),
        librechat_message("u1b", "I live in Ghent.", by_user=True, minute=3),
        librechat_message("a2", "Noted", "u1b", by_user=False, minute=4, unfinished=True),
        librechat_message("a2b", "Noted: Ghent.", "u1b", by_user=False, minute=5),
    ]


STANDING = [("I live in Ghent.", "Noted: Ghent.")]


def test_the_branch_with_the_newest_message_stands() -> None:
    content = librechat(*messages())
    conversation = LibreChat().conversation(content)
    assert (conversation.id, conversation.source) == ("convo-1", "librechat")
    assert conversation.messages[0].at == datetime(2025, 3, 1, 10, 3, 0, 123000, tzinfo=UTC)
    assert texts(content) == STANDING
    assert texts(librechat(*reversed(messages()))) == STANDING


def test_a_tree_of_nested_messages_is_read_as_the_list() -> None:
    flat = messages()
    for message in flat:
        parent = message["messageId"]
        message["children"] = [each for each in flat if each["parentMessageId"] == parent]
    roots = [each for each in flat if each["parentMessageId"].startswith("0000")]
    content = librechat(recursive=True, messagesTree=roots)
    del content["messages"]
    assert texts(content) == STANDING
    del roots[0]["parentMessageId"]
    assert texts(content) == STANDING


def test_an_export_without_branches_is_the_path_itself() -> None:
    first, answer, *_ = messages()
    answer["parentMessageId"] = "a message that the export does not have"
    assert texts(librechat(first, answer, branches=False)) == [("I live in Oslo.", "Noted: Oslo.")]
    for message in (first, answer):
        del message["parentMessageId"]
    assert texts(librechat(first, answer)) == [("I live in Oslo.", "Noted: Oslo.")]
    assert texts(librechat(messages=first)) == []


def test_an_answer_whose_question_is_missing_is_left_out() -> None:
    first, answer, *_ = messages()
    lost = librechat_message("a9", "Yes.", "gone", by_user=False, minute=9)
    assert texts(librechat(first, answer, lost)) == [("I live in Oslo.", "Noted: Oslo.")]


def test_many_messages_may_be_nested() -> None:
    tree: list[dict[str, Any]] = []
    for number in reversed(range(2000)):
        message = librechat_message(f"m{number}", f"t{number}", by_user=number % 2 == 0)
        tree = [message | {"children": tree}]
    assert len(texts(librechat(messagesTree=tree, recursive=True))) == 1000


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "", "content": [{"type": "text", "text": "Hi."}]}, "Hi."),
        ({"text": "", "content": [{"type": "text", "text": {"value": "Hi."}}]}, "Hi."),
        (
            {
                "content": [
                    {"type": "think", "think": "Hm."},
                    {"type": "text", "text": "Let me look."},
                    {"type": "tool_call", "tool_call": {"name": "search", "output": "secret"}},
                    {"type": "image_file", "image_file": {}},
                    {"type": "text", "text": "Hi."},
                    None,
                ]
            },
            "Let me look.\n\nHi.",
        ),
        ({"text": ":::thinking\nHm.\n:::\n\nHi."}, "Hi."),
        ({"text": "<think>Hm.</think>Hi."}, "Hi."),
        ({"text": "Something went wrong.", "error": True}, ""),
        ({"text": None}, ""),
    ],
)
def test_an_answer_is_what_the_model_said_to_the_user(
    fields: dict[str, Any], expected: str
) -> None:
    question = librechat_message("u", "Hello?", by_user=True)
    answer = librechat_message("a", "", "u", by_user=False) | fields
    assert LibreChat().conversation(librechat(question, answer)).messages[-1].text == expected


def test_the_text_of_attached_files_is_the_users() -> None:
    files = [{"filename": "a.txt", "text": "Dear landlord."}, {"filename": "b.png"}, None]
    question = librechat_message("u", "", by_user=True, files=files)
    answer = librechat_message("a", "Polite.", "u", by_user=False)
    assert texts(librechat(question, answer)) == [("Dear landlord.", "Polite.")]


def test_times_of_the_database_are_read() -> None:
    question = librechat_message("u", "q", by_user=True) | {
        "createdAt": {"$date": "2025-03-01T10:00:00Z"}
    }
    assert LibreChat().conversation(librechat(question)).messages[0].at == datetime(
        2025, 3, 1, 10, tzinfo=UTC
    )
