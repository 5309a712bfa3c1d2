"""Chats of Open WebUI, of all its versions, become exchanges."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from personaagent.memory.exchange.messages import Exchange, exchanges
from personaagent.memory.exchange.open_webui import OpenWebUI
from tests.support.tree_exports import open_webui, owui_message


def texts(content: Any) -> list[tuple[str, str]]:
    assert OpenWebUI().recognises(content)
    found = exchanges(OpenWebUI().conversation(content).messages)
    return [(each.question.text, each.answer) for each in found if isinstance(each, Exchange)]


def chat() -> dict[str, Any]:
    return open_webui(
        owui_message("u1", "user", "Where do I live?"),
        owui_message("a1", "assistant", "In Oslo.", "u1"),
        owui_message("u2", "user", "And now?", "a1"),
        owui_message("a2", "assistant", "In Ghent.", "u2"),
    )


def test_a_chat_is_read_with_its_id_and_times() -> None:
    content = chat()
    content["chat"]["history"]["messages"]["u2"]["timestamp"] = 1_700_000_060_500
    conversation = OpenWebUI().conversation(content)
    assert (conversation.id, conversation.source) == ("chat-1", "open-webui")
    assert conversation.at == datetime.fromtimestamp(1_699_999_999, UTC)
    assert [message.at for message in conversation.messages[1:3]] == [
        datetime.fromtimestamp(1_700_000_000, UTC),
        datetime.fromtimestamp(1_700_000_060.5, UTC),
    ]
    assert texts(content) == [("Where do I live?", "In Oslo."), ("And now?", "In Ghent.")]


def test_older_exports_have_the_chat_itself_and_the_oldest_a_list() -> None:
    inner = chat()["chat"]
    expected = [("Where do I live?", "In Oslo."), ("And now?", "In Ghent.")]
    assert texts(inner | {"id": "x", "user_id": "u", "timestamp": 1_700_000_000_123}) == expected
    plain = [
        {"role": each["role"], "content": each["content"]}
        for each in inner["history"]["messages"].values()
    ]
    assert texts({"id": "x", "title": "t", "models": [""], "messages": plain}) == expected
    assert texts({"id": "x", "chat": orjson.dumps(inner).decode()}) == expected


def branched() -> dict[str, Any]:
    return open_webui(
        owui_message("u1", "user", "I live in Oslo."),
        owui_message("a1", "assistant", "Noted: Oslo.", "u1"),
        owui_message("a1b", "assistant", "Nice city!", "u1", model="another"),
        owui_message("u1b", "user", "I live in Ghent.", timestamp=1_700_000_050),
        owui_message("a2", "assistant", "Noted: Ghent.", "u1b", timestamp=1_700_000_055),
        current="a2",
    )


def test_only_the_branch_that_stands_is_read() -> None:
    content = branched()
    assert texts(content) == [("I live in Ghent.", "Noted: Ghent.")]
    content["chat"]["history"]["currentId"] = "a1b"
    assert texts(content) == [("I live in Oslo.", "Nice city!")]


@pytest.mark.parametrize("current", [None, "", "gone", 5])
def test_without_a_current_message_the_newest_branch_stands(current: Any) -> None:
    content = branched()
    content["chat"]["history"]["currentId"] = current
    assert texts(content) == [("I live in Ghent.", "Noted: Ghent.")]


def test_a_loop_ends_and_a_missing_question_leaves_its_answer_out() -> None:
    content = chat()
    content["chat"]["history"]["messages"]["u1"]["parentId"] = "a2"
    assert len(OpenWebUI().conversation(content).messages) == 4
    content = chat()
    del content["chat"]["history"]["messages"]["u2"]
    assert [message.text for message in OpenWebUI().conversation(content).messages] == [
        "Where do I live?",
        "In Oslo.",
        "",
        "In Ghent.",
    ]


REASONED = (
    '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n'
    "&gt; Hm, a lake.\n</details>\n"
)


@pytest.mark.parametrize(
    ("content", "more", "expected"),
    [
        (REASONED + "Nothing.", {}, "Nothing."),
        ("<think>Hm.</think>\n\nNothing.", {}, "Nothing."),
        ("Hm.</think>Nothing.", {}, "Nothing."),
        (
            '<details type="tool_calls" done="true" name="search" arguments="&quot;{}&quot;">\n'
            "<summary>Tool Executed</summary>\n</details>\nNothing.",
            {},
            "Nothing.",
        ),
        ("<details>Mine</details>", {}, "<details>Mine</details>"),
        ([{"type": "text", "text": "Nothing."}, {"type": "image_url", "image_url": {}}], {}, "Nothing."),
        (
            REASONED,
            {
                "output": [
                    {"type": "reasoning", "content": [{"type": "output_text", "text": "Hm."}]},
                    {"type": "message", "content": [{"type": "output_text", "text": "Nothing."}]},
                ]
            },
            "Nothing.",
        ),
        ("Here: ![a fjord](data:image/png;base64,iVBORw0KGgo=)", {}, "Here:"),
        ("", {"error": {"content": "Connection refused"}}, ""),
        ("Uh-oh! There was an issue connecting to Ollama.", {"error": True}, ""),
        ("In O", {"error": {"content": "Connection lost"}}, "In O"),
        (None, {}, ""),
    ],
)  # fmt: skip
def test_an_answer_is_what_the_model_said_to_the_user(
    content: Any, more: dict[str, Any], expected: str
) -> None:
    answer = owui_message("a", "assistant", content, "u", **more)
    message = (
        OpenWebUI()
        .conversation(open_webui(owui_message("u", "user", "What?"), answer))
        .messages[-1]
    )
    assert message.text == expected


def test_the_text_of_attached_files_is_the_users() -> None:
    files = [
        {"type": "file", "file": {"filename": "a.txt", "data": {"content": "Dear landlord."}}},
        {"type": "image", "url": "data:image/png;base64,AAAA"},
        {"type": "collection", "name": "x"},
        None,
    ]
    content = open_webui(
        owui_message("u", "user", "Shorter, please.", files=files),
        owui_message("a", "assistant", "Dear L.", "u"),
    )
    assert texts(content) == [("Shorter, please.\n\nDear landlord.", "Dear L.")]


def test_system_messages_and_what_is_no_message_are_left_out() -> None:
    content = open_webui(
        owui_message("s", "system", "Be brief."),
        owui_message("u", "user", "Hi", "s"),
        owui_message("a", "assistant", "Hello", "u"),
    )
    content["chat"]["history"]["messages"]["x"] = None
    assert texts(content) == [("Hi", "Hello")]


@pytest.mark.parametrize(
    "content",
    [
        {"mapping": {}},
        {"chat_messages": []},
        {"conversationId": "c", "messages": []},
        {"query": "q", "response": "r"},
        {"chat": "not JSON"},
        {"chat": None},
        {"history": []},
    ],
)
def test_other_content_is_not_taken_for_a_chat(content: dict[str, Any]) -> None:
    assert not OpenWebUI().recognises(content)
