"""What was said in a conversation, whoever exported it."""

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
    """One conversation, in the order in which it went."""

    id: str
    source: str
    at: datetime | None
    said: list[ChatMessage]


def exchanges(said: Sequence[ChatMessage]) -> Iterator[tuple[ChatMessage, str]]:
    """Each message of the user with the answer after it, which may come in several pieces.

    Messages without text do not count, nor does a message of the user that got no answer.
    """
    question: ChatMessage | None = None
    answer: list[str] = []
    for message in said:
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
