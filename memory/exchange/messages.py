"""The messages of a conversation, whichever program exported it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Speaker = Literal["user", "assistant", "unknown", "hidden"]
"""``hidden``: a program wrote it in the user's name, unseen by them; ``unknown``: nobody is named."""
NO_TEXT = "a message of yours without text, such as a picture or a file"
NO_ANSWER = "a message of yours without an answer"
NO_AUTHOR = "a message whose author is not named"


@dataclass(frozen=True)
class ChatMessage:
    """One message: its text only, empty for a picture; ``at`` is None if its time is unknown."""

    id: str
    speaker: Speaker
    text: str
    at: datetime | None = None


GAP = ChatMessage("", "hidden", "")
"""Stands where messages are missing, so that no answer reaches across."""


@dataclass(frozen=True)
class Conversation:
    """One conversation: the messages of the path that was seen last, in order.

    ``id`` is empty if the file has none, ``at`` (when it began) None. ``extra`` goes into the
    metadata of each episode. ``omitted`` names what else it holds and no episode has.
    """

    id: str
    source: str
    at: datetime | None
    messages: list[ChatMessage]
    title: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    omitted: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Exchange:
    """A message of the user with the answer to it, which may consist of several messages."""

    question: ChatMessage
    answer: str


def joined(paths: Iterable[list[ChatMessage]]) -> list[ChatMessage]:
    """The messages of all pieces, with a gap between two of them."""
    messages: list[ChatMessage] = []
    for path in paths:
        messages += [GAP, *path] if messages else path
    return messages


def exchanges(messages: Iterable[ChatMessage]) -> Iterator[Exchange | str]:
    """Each message of the user with its answer; or why a message of theirs is left out.

    A message that is not the assistant's ends the exchange before it, also if it has no text: the
    answer to a picture belongs to no other question.
    """
    question: ChatMessage | None = None
    answer: list[str] = []
    for message in messages:
        if message.speaker == "assistant":
            answer += [message.text] if message.text.strip() else []
            continue
        yield from _exchange(question, answer)
        question, answer = message, []
    yield from _exchange(question, answer)


def _exchange(question: ChatMessage | None, answer: list[str]) -> Iterator[Exchange | str]:
    if question is None or question.speaker == "hidden":
        return
    if question.speaker == "unknown":
        yield NO_AUTHOR
    elif not question.text.strip():
        yield NO_TEXT
    elif not answer:
        yield NO_ANSWER
    else:
        yield Exchange(question, "\n\n".join(answer))
