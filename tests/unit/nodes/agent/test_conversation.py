"""A thread becomes a prompt of the shape that every endpoint takes."""

import itertools
import random
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    convert_to_openai_messages,
)

from personaagent.core.thread_messages import UNANSWERED, join_thread
from personaagent.nodes.agent.conversation import conversation, question_of, with_text
from tests.support.strict_roles import shape_problem

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def call(id: str | None, name: str = "look") -> ToolCall:
    return ToolCall(name=name, args={}, id=id, type="tool_call")


def failed(text: str) -> HumanMessage:
    return HumanMessage(text, additional_kwargs={UNANSWERED: True})


def sent(*thread: BaseMessage) -> list[dict[str, Any]]:
    """What a model is sent for the thread, as OpenAI's API takes it."""
    talk = conversation(thread)
    messages = [SystemMessage("Be kind."), *talk.earlier, *talk.turn]
    as_sent: Any = convert_to_openai_messages(messages)
    assert shape_problem(as_sent) is None
    return list(as_sent[1:])


def texts(*thread: BaseMessage) -> list[str]:
    return [message["content"] for message in sent(*thread)]


def test_an_ordinary_thread_stays_as_it_is() -> None:
    thread = [HumanMessage("q1"), AIMessage("a1"), HumanMessage("q2")]
    assert texts(*thread) == ["q1", "a1", "q2"]


@pytest.mark.parametrize(
    "left",
    [
        [],
        [AIMessage("")],
        [AIMessage("", tool_calls=[call("c")])],
        [AIMessage("Let me look.", tool_calls=[call("c")])],
        [AIMessage("", tool_calls=[call("c")]), ToolMessage("seen", tool_call_id="c")],
    ],
)
def test_a_turn_without_an_answer_is_left_out(left: list[BaseMessage]) -> None:
    thread = [HumanMessage("q1"), AIMessage("a1"), failed("poison"), *left, HumanMessage("q2")]
    assert texts(*thread) == ["q1", "a1", "q2"]
    assert texts(failed("poison"), *left, HumanMessage("q2")) == ["q2"]


def test_messages_of_one_side_in_a_row_become_one() -> None:
    thread = [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d")]
    question = [HumanMessage("e"), HumanMessage(" "), HumanMessage("f")]
    assert texts(*thread, *question) == ["a\n\nb", "c\n\nd", "e\n\nf"]
    assert question_of([*thread, *question]) == "e\n\nf"


def test_a_greeting_before_the_first_question_is_left_out() -> None:
    assert texts(AIMessage("How can I help?"), HumanMessage("q")) == ["q"]


def test_the_clients_own_system_messages_are_taken_out_each_once() -> None:
    thread = [
        SystemMessage("Speak Swedish."),
        HumanMessage("q1"),
        AIMessage("a1"),
        SystemMessage("Speak Swedish."),
        SystemMessage(" "),
        HumanMessage("q2"),
        SystemMessage([{"type": "text", "text": "Be brief."}]),
    ]
    assert texts(*thread) == ["q1", "a1", "q2"]
    assert conversation(thread).instructions == "Speak Swedish.\n\nBe brief."


def test_results_follow_their_calls_and_the_rest_is_left_out() -> None:
    answer = AIMessage("", tool_calls=[call("b"), call("a"), call("lost"), call("a", "twice")])
    thread = [
        HumanMessage("q"),
        ToolMessage("of nobody", tool_call_id="x"),
        answer,
        ToolMessage("A", tool_call_id="a"),
        ToolMessage("", tool_call_id="b"),
        ToolMessage("again", tool_call_id="a"),
        AIMessage("a1"),
        HumanMessage("q2"),
    ]
    messages = sent(*thread)
    assert [each["id"] for each in messages[1]["tool_calls"]] == ["b", "a"]
    assert [each["content"] for each in messages[2:4]] == ["(no result)", "A"]
    assert [each["content"] for each in messages[4:]] == ["a1", "q2"]


def test_an_id_that_comes_again_in_a_later_step_is_another_call() -> None:
    step = [AIMessage("", tool_calls=[call("0")]), ToolMessage("r", tool_call_id="0")]
    thread = [HumanMessage("q"), *step, *step]
    assert [message["role"] for message in sent(*thread)] == ["user", *["assistant", "tool"] * 2]


def test_content_in_blocks_is_sent_as_text_where_it_is_text() -> None:
    thinks = {"type": "reasoning", "reasoning": "Hm."}
    thread = [
        HumanMessage([{"type": "text", "text": "one "}, "two"]),
        AIMessage([thinks, {"type": "text", "text": "three"}]),
        HumanMessage("four"),
    ]
    assert texts(*thread) == ["one two", "three", "four"]


def test_reasoning_that_an_earlier_version_stored_is_not_sent() -> None:
    thread = [HumanMessage("q1"), AIMessage("<think>Hm.</think>a1"), HumanMessage("q2")]
    only = AIMessage("<think>Hm.</think>")
    assert texts(*thread, only, HumanMessage("q3")) == ["q1", "a1", "q3"]


def test_pictures_stay_with_and_without_text() -> None:
    alone = conversation([HumanMessage([PICTURE, {"type": "text", "text": " "}])])
    assert alone.turn[0].content == [PICTURE]
    assert (alone.question, alone.has_media) == ("", True)
    short = {"type": "image_url", "image_url": PICTURE["image_url"]["url"]}  # type: ignore[index]
    [message] = conversation([HumanMessage("What is it?"), HumanMessage([short])]).turn
    assert message.content == [{"type": "text", "text": "What is it?"}, PICTURE]
    assert question_of([message]) == "What is it?"
    assert with_text(message, "Choose.").content == [{"type": "text", "text": "Choose."}, PICTURE]


def test_control_characters_are_replaced() -> None:
    thread = [HumanMessage("a\x00b"), AIMessage("c\x1b[2J"), HumanMessage("page\x0cbreak")]
    assert texts(*thread) == ["a\ufffdb", "c\ufffd[2J", "page\ufffdbreak"]


@pytest.mark.parametrize("thread", [[], [AIMessage("a")], [SystemMessage("s")], [HumanMessage("")]])
def test_a_thread_without_a_question_has_no_turn(thread: list[BaseMessage]) -> None:
    assert conversation(thread).turn == []


ANYTHING: list[BaseMessage] = [
    SystemMessage("system"),
    HumanMessage("question"),
    HumanMessage(""),
    HumanMessage([PICTURE]),
    failed("failed"),
    AIMessage("answer"),
    AIMessage(""),
    AIMessage("<think>Hm.</think>"),
    AIMessage("looks", tool_calls=[call("a"), call(None)]),
    AIMessage("", tool_calls=[call("a"), call("b"), call("a")]),
    ToolMessage("result", tool_call_id="a"),
    ToolMessage("", tool_call_id="b"),
    FunctionMessage(content="result", name="f"),
    ChatMessage(content="who", role="moderator"),
]


def test_whatever_the_thread_holds_the_prompt_is_well_formed() -> None:
    threads: list[tuple[BaseMessage, ...]] = [*itertools.product(ANYTHING, repeat=2)]
    draw = random.Random(13)
    threads += [tuple(draw.choices(ANYTHING, k=draw.randint(3, 14))) for _ in range(5000)]
    for thread in threads:
        joined = join_thread([], [each.model_copy(update={"id": None}) for each in thread])
        messages = sent(*join_thread(joined, [HumanMessage("now")]))
        assert messages[-1]["content"] == "now", "what nobody answered was another question"
