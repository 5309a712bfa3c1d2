"""Claude's export becomes exchanges: text, attachments, branches, and no tools."""

from datetime import UTC, datetime
from typing import Any

import pytest

from personaagent.memory.exchange.claude import NO_PARENT
from tests.support.chat_exports import claude, parsed, times

Message = dict[str, Any]
PLACEHOLDER = "```\nThis block is not supported on your current device yet.\n```"


def conversation(*messages: Message, **more: Any) -> list[dict[str, Any]]:
    return [claude("c") | {"chat_messages": [*messages]} | more]


def said(sender: str, text: str, **more: Any) -> Message:
    return {"uuid": f"{sender}-{text}", "sender": sender, "text": text} | more


def attached(*texts: str) -> dict[str, Any]:
    return {"attachments": [{"file_name": "a.txt", "extracted_content": text} for text in texts]}


def test_the_text_of_an_attachment_is_text() -> None:
    both = said("human", "Shorten this.", **attached("Dear landlord,", "Second page."))
    alone = said("human", "", content=[], **attached("Dear tenant,"))
    answers = said("assistant", "Done."), said("assistant", "Polite.")
    assert parsed(conversation(both, answers[0], alone, answers[1])) == (
        {"Shorten this.\n\nDear landlord,\n\nSecond page.": "Done.", "Dear tenant,": "Polite."},
        [],
    )


def test_an_answer_to_a_message_without_text_belongs_to_no_other_question() -> None:
    picture = said("human", "", content=[], files=[{"file_name": "photo.jpg"}])
    found, left_out = parsed(
        conversation(
            said("human", "Which tyres?"),
            said("assistant", "28."),
            picture,
            said("assistant", "A cat."),
        )
    )
    assert found == {"Which tyres?": "28."}
    assert left_out == [
        'conversation 1 ("A name"): a message of yours without text, such as a picture or a file'
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {
                "text": f"{PLACEHOLDER}\n\nRain.",
                "content": [
                    {"type": "thinking", "thinking": "hm", "text": "hm"},
                    {"type": "tool_use", "name": "web", "input": {}},
                    {"type": "tool_result", "content": [{"type": "text", "text": "12C"}]},
                    {"type": "text", "text": "Rain."},
                ],
            },
            "Rain.",
        ),
        ({"text": f"Rain.\n\n{PLACEHOLDER}"}, "Rain."),
        ({"text": f"It\n\n{PLACEHOLDER}\n\nrains."}, "It\n\nrains."),
        ({"content": "Rain."}, "Rain."),
        (
            {"content": [{"type": None, "text": "x"}, None, {"type": "text", "text": "Rain."}]},
            "Rain.",
        ),
        ({"content": [{"type": "voice_note", "text": "Rain."}]}, "Rain."),
        ({"text": "<antThinking>So.</antThinking>\nRain."}, "Rain."),
        ({"text": '<antArtifact title="x">Rain.</antArtifact>'}, "Rain."),
    ],
)
def test_the_answer_is_what_the_user_read(answer: Message, expected: str) -> None:
    found, _ = parsed(conversation(said("human", "Weather?"), said("assistant", "") | answer))
    assert found == {"Weather?": expected}


def test_an_answer_of_tools_alone_is_none() -> None:
    answer = said("assistant", PLACEHOLDER, content=[{"type": "tool_use", "name": "web"}])
    found, left_out = parsed(conversation(said("human", "Weather?"), answer))
    assert (found, len(left_out)) == ({}, 1)


def test_the_branch_seen_last_is_the_conversation() -> None:
    def at(minute: int, parent: str) -> dict[str, str]:
        stamp = f"2026-01-02T10:{minute:02d}:00.000000Z"
        return {"created_at": stamp, "parent_message_uuid": parent}

    messages = [
        said("human", "Teh cat?", **at(0, NO_PARENT)),
        said("assistant", "Teh?", **at(1, "human-Teh cat?")),
        said("human", "The cat?", **at(2, NO_PARENT)),
        said("assistant", "First try.", **at(3, "human-The cat?")),
        said("assistant", "Second try.", **at(4, "human-The cat?")),
    ]
    assert parsed(conversation(*messages)) == ({"The cat?": "Second try."}, [])
    leaf = {"current_leaf_message_uuid": "assistant-First try."}
    assert parsed(conversation(*messages, **leaf)) == ({"The cat?": "First try."}, [])


def test_a_message_without_a_time_is_of_its_conversation() -> None:
    content = conversation(
        said("human", "I like jazz.", created_at=""),
        said("assistant", "Ok.", created_at=None),
        created_at="2026-01-02T10:00:00Z",
    )
    assert times(content) == [datetime(2026, 1, 2, 10, tzinfo=UTC)]


@pytest.mark.parametrize("odd", [{"sender": None}, {"sender": 5}, {"uuid": 7}, {"files": "x"}])
def test_an_odd_message_costs_only_itself(odd: Message) -> None:
    good = [said("human", "One?"), said("assistant", "1")]
    found, _ = parsed(conversation(*good, said("human", "Two?") | odd, said("assistant", "2")))
    assert found["One?"] == "1"
    assert found in ({"One?": "1"}, {"One?": "1", "Two?": "2"})
