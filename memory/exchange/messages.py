"""The messages of a conversation, whichever service exported it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Speaker = Literal["user", "assistant"]


@dataclass(frozen=True)
class ChatMessage:
    """One message: text only."""

    id: str
    speaker: Speaker
    text: str
    at: datetime | None


@dataclass(frozen=True)
class Conversation:
    """One conversation, with its messages in order."""

    id: str
    source: str
    at: datetime | None
    messages: list[ChatMessage]


def exchanges(messages: Sequence[ChatMessage]) -> Iterator[tuple[ChatMessage, str]]:
    """Each message of the user with the answer to it, which may consist of several messages.

    Messages without text are skipped, and so are messages of the user that got no answer.
    """
    question: ChatMessage | None = None
    answer: list[str] = []
    for message in messages:
        if not message.text.strip():
            continue
        if message.speaker == "assistant":
            answer.append(message.text)
            continue
        if question and answer:
            yield question, "\n\n".join(answer)
        question, answer = message, []
    if question and answer:
        yield question, "\n\n".join(answer)
