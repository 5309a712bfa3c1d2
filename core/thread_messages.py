"""How messages join a thread: a question that the turn before left without an answer is marked."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    BaseMessage,
    HumanMessage,
)
from langgraph.graph.message import add_messages

UNANSWERED = "unanswered"
"""Key in the ``additional_kwargs`` of a user's message whose turn failed or was stopped."""
EPISODE = "episode_id"
"""Key in the ``additional_kwargs`` of an answer: the id of the episode that its turn has become."""


def join_thread(left: Any, right: Any) -> list[AnyMessage]:
    """``add_messages``, which also marks the questions in ``left`` that nobody answered.

    When a new question comes, the turn before has ended, whatever became of it: failed, refused,
    cancelled or killed. Several messages of the user that come together are one question, so
    only what was there before is marked.
    """
    known = {message.id for message in left}
    merged: list[AnyMessage] = add_messages(left, right)  # type: ignore[assignment]
    if not any(_asks(message) and message.id not in known for message in merged):
        return merged
    before = [message for message in merged if message.id in known]
    open_ids = {message.id for message in _after_the_last_answer(before)}
    return [
        _marked(each) if _asks(each) and each.id in open_ids else each  # type: ignore[misc]
        for each in merged
    ]


def with_episode(answer: AIMessage, episode_id: str) -> AIMessage:
    """The answer, which carries the id of its episode."""
    more = {**answer.additional_kwargs, EPISODE: episode_id}
    return answer.model_copy(update={"additional_kwargs": more})


def episode_chunk(answer: AIMessage, episode_id: str) -> AIMessageChunk:
    """The same for whoever reads the answer in pieces: one more, without text."""
    return AIMessageChunk(content="", id=answer.id, additional_kwargs={EPISODE: episode_id})


def is_unanswered(message: BaseMessage) -> bool:
    """Whether the turn of this message ended without an answer, as the mark says."""
    return bool(message.additional_kwargs.get(UNANSWERED))


def is_answer(message: BaseMessage) -> bool:
    """Whether the message ends a turn: the agent says something and calls no tool."""
    if not isinstance(message, AIMessage) or message.tool_calls or message.invalid_tool_calls:
        return False
    return bool(message.text.strip())


def _after_the_last_answer(messages: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
    ends = [number for number, message in enumerate(messages, 1) if is_answer(message)]
    return messages[ends[-1] if ends else 0 :]


def _asks(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage)


def _marked(message: BaseMessage) -> BaseMessage:
    mark = {**message.additional_kwargs, UNANSWERED: True}
    return message.model_copy(update={"additional_kwargs": mark})
