"""How messages join a thread."""

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolCall

from personaagent.core.thread_messages import is_unanswered, join_thread


def marked(messages: list[Any]) -> list[str]:
    return [message.text for message in messages if is_unanswered(message)]


def test_a_question_that_was_not_answered_is_marked_when_the_next_one_comes() -> None:
    thread = join_thread([], [HumanMessage("first")])
    assert marked(thread) == []
    thread = join_thread(thread, [{"role": "user", "content": "second"}])
    assert marked(thread) == ["first"]
    thread = join_thread(join_thread(thread, [AIMessage("answer")]), [HumanMessage("third")])
    assert marked(thread) == ["first"]


def test_questions_that_come_together_are_one() -> None:
    thread = join_thread([], [HumanMessage("look:"), HumanMessage("what is it?")])
    assert marked(thread) == []


def test_a_turn_that_broke_off_at_its_tools_is_marked() -> None:
    calls = [ToolCall(name="t", args={}, id="c", type="tool_call")]
    thread = join_thread([HumanMessage("q", id="1")], [AIMessage("Let me look.", tool_calls=calls)])
    assert marked(join_thread(thread, [HumanMessage("next")])) == ["q"]


def test_a_question_that_is_sent_again_under_its_id_is_open_again() -> None:
    thread = join_thread([HumanMessage("q", id="1")], [HumanMessage("p", id="2")])
    assert marked(thread) == ["q"]
    assert marked(join_thread(thread, [HumanMessage("q again", id="1")])) == []


def test_removing_a_message_marks_nothing() -> None:
    thread = join_thread([HumanMessage("q", id="1"), HumanMessage("p", id="2")], [])
    assert marked(join_thread(thread, [RemoveMessage("2")])) == []


def test_a_question_whose_answer_was_taken_out_is_marked() -> None:
    thread = [HumanMessage("q", id="1"), AIMessage("a", id="2")]
    assert marked(join_thread(thread, [RemoveMessage("2"), HumanMessage("other")])) == ["q"]


def test_a_client_may_send_the_whole_conversation_again() -> None:
    failed = HumanMessage("q2", id="3")
    thread = [HumanMessage("q1", id="1"), AIMessage("a1", id="2"), failed]
    again = [each.model_copy() for each in thread]
    assert marked(join_thread(thread, [*again, HumanMessage("q3", id="4")])) == ["q2"]
