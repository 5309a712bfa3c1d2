"""ChatGPT's export becomes exchanges, whatever is missing from its trees."""

from datetime import UTC, datetime
from typing import Any

import pytest

from personaagent.core.calendar import UNDATED
from tests.support.chat_exports import chatgpt, chatgpt_message, parsed, times

said = chatgpt_message
CELLO = {"I play the cello.": "Nice."}


def cello(**more: Any) -> dict[str, Any]:
    question = said("user", "I play the cello.", at=1_719_000_000.5)
    return chatgpt("c", question, said("assistant", "Nice.", at=1_719_000_001.5)) | more


def changed(node: str, **fields: Any) -> dict[str, Any]:
    """The same with other fields in a message."""
    conversation = cello()
    conversation["mapping"][node]["message"] |= fields
    return conversation


def without(conversation: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in conversation.items() if name != field}


@pytest.mark.parametrize(
    "conversation",
    [
        cello(current_node=None),
        cello(current_node="gone"),
        cello(current_node="root"),
        cello(current_node=5),
        without(cello(), "current_node"),
        without(cello(), "conversation_id"),
        without(cello(), "title") | {"title": None},
        cello(mapping=[{"id": id} | node for id, node in cello()["mapping"].items()]),
        cello(mapping=cello()["mapping"] | {"odd": None}),
        cello(mapping=cello()["mapping"] | {"root": {"message": None, "parent": "c-m1"}}),
        cello(create_time=10**400),
        changed("c-m1", id=None),
        changed("c-m1", author="assistant"),
        changed("c-m1", content="Nice."),
        changed("c-m1", content={"content_type": "text", "text": "Nice."}),
        changed("c-m1", content={"parts": ["Nice.", None, 5]}),
        changed("c-m1", metadata=None, recipient=None),
        changed("c-m0", create_time=1.8e20, recipient=5),
    ],
)
def test_what_is_missing_or_odd_costs_no_message(conversation: dict[str, Any]) -> None:
    assert parsed([conversation]) == (CELLO, [])


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"author": None}, "whose author is not named"),
        ({"author": {"role": None}}, "whose author is not named"),
        ({"content": None}, "without text"),
        ({"content": {"content_type": "multimodal_text", "parts": [{"size": 5}]}}, "without text"),
    ],
)
def test_a_message_that_cannot_be_read_ends_the_exchange_before_it(
    fields: dict[str, Any], why: str
) -> None:
    conversation = chatgpt(
        "c", said("user", "One?"), said("assistant", "1"), said("user", "Two?") | fields,
        said("assistant", "2"),
    )  # fmt: skip
    found, left_out = parsed([conversation])
    assert found == {"One?": "1"}
    assert len(left_out) == 1
    assert why in left_out[0]


def test_messages_after_a_deleted_one_come_in_and_no_answer_reaches_across() -> None:
    conversation = chatgpt(
        "c", said("user", "One?"), said("assistant", "1"), said("user", "Two?"),
        said("assistant", "2"), said("user", "Three?"), said("assistant", "3"),
    )  # fmt: skip
    del conversation["mapping"]["c-m2"]
    assert parsed([conversation])[0] == {"One?": "1", "Three?": "3"}
    del conversation["mapping"]["c-m3"]
    assert parsed([conversation])[0] == {"One?": "1", "Three?": "3"}


def test_a_task_that_runs_unseen_in_the_users_name_is_no_question_of_theirs() -> None:
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    conversation = chatgpt(
        "c", said("user", "One?"), said("assistant", "1"), said("user", "Go on.", **hidden),
        said("assistant", "The daily report."),
    )  # fmt: skip
    assert parsed([conversation]) == ({"One?": "1"}, [])


def test_contexts_thoughts_and_tools_stand_between_question_and_answer() -> None:
    def of(kind: str, role: str = "assistant", **more: Any) -> dict[str, Any]:
        return {"author": {"role": role}, "content": {"content_type": kind, "parts": ["x"]}} | more

    conversation = chatgpt(
        "c",
        of("user_editable_context", "user"),
        of("multimodal_text", "user", content={
            "content_type": "multimodal_text",
            "parts": [
                {"content_type": "audio_transcription", "text": "I moved to Ghent.", "direction": "in"},
                {"content_type": "real_time_user_audio_video_asset_pointer"},
            ],
        }),
        of("user_editable_context", "user"),
        of("model_editable_context"),
        of("thoughts"),
        of("reasoning_recap"),
        of("text", channel="analysis"),
        of("text", recipient="web.run"),
        of("text", "tool"),
        of("code"),
        said("assistant", "Lovely."),
    )  # fmt: skip
    assert parsed([conversation]) == ({"I moved to Ghent.": "Lovely."}, [])


def test_without_times_messages_keep_their_order_and_are_not_of_now() -> None:
    messages = [said(role, text) for role, text in (("user", "a"), ("assistant", "b")) * 2]
    undated = chatgpt("c", *messages) | {"create_time": None}
    first, second = times([undated])
    assert UNDATED <= first < second < datetime(1970, 1, 2, tzinfo=UTC)
    [*_, updated] = times([undated | {"update_time": 1_719_000_000.0}])
    assert updated.date().isoformat() == "2024-06-21"


def test_a_message_without_a_time_is_of_the_one_before_it() -> None:
    messages = [
        said("user", "a", at=1_719_000_000.0),
        said("assistant", "b", at=1_719_086_400.0),
        said("user", "c"),
        said("assistant", "d"),
    ]
    assert [each.day for each in times([chatgpt("c", *messages)])] == [21, 22]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("Rain \ue200cite\ue202turn0search0\ue202turn0news1\ue201.", "Rain."),
        ("In \ue200entity\ue202[\"city\",\"Paris\",\"capital\"]\ue201 now.", "In Paris now."),
        ('In entity["city","Paris","capital"] now.', "In Paris now."),
        ("See \ue200url\ue202the map\ue202turn0search0\ue201.", "See the map."),
        ("A\ue200image_group\ue202{\"query\":[\"cat\"]}\ue201", "A"),
        ("\ue203Rain\ue204 \ue200filecite\ue202turn0file0\ue201", "Rain"),
        ("Rain citeturn0search0turn1news2.", "Rain."),
        ("Rain【4†source】 and【7:0†report.pdf】 wind.", "Rain and wind."),
        ("Rain :contentReference[oaicite:0]{index=0}.", "Rain."),
        ("Rain [oai_citation:1‡example.org](https://example.org/a).", "Rain."),
        (':::writing{variant="email" id="1"}\nDear Ana,\n:::', "Dear Ana,\n"),
        ("Keep 【this】, [a](b), ::: and cite these turns.", None),
        ("\ue200entity\ue202broken\ue201 \ue200cite", " cite"),
    ],
)  # fmt: skip
def test_the_programs_own_marks_are_not_text(marked: str, expected: str | None) -> None:
    conversation = chatgpt("c", said("user", "q"), said("assistant", marked))
    assert parsed([conversation])[0] == {"q": expected or marked}


def test_custom_instructions_are_named_for_they_are_no_exchange() -> None:
    content = {"content_type": "user_editable_context", "user_profile": "I am a nurse."}
    conversation = chatgpt(
        "c", said("user", content=content), said("user", "q"), said("assistant", "a")
    )
    found, [left_out] = parsed([conversation])
    assert found == {"q": "a"}
    assert "`personaagent profile import` reads them" in left_out
