"""What all prompts of one kind begin with: the part of it that no user and no question changes."""

import hashlib
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

STABLE = "stable_chars"
"""Key of the mark in the ``additional_kwargs`` of a message."""


class _Chars(int):
    """How much of a text is shared. What clients send as a mark is a plain number, and is none."""


def with_mark(message: BaseMessage, chars: int) -> BaseMessage:
    """``message``, marked: ``chars`` characters of its text, and all messages before it, are the same
    in every prompt of its kind."""
    marks = {**message.additional_kwargs, STABLE: _Chars(chars)}
    return message.model_copy(update={"additional_kwargs": marks})


def stable_prefix(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages up to the marked one, which is cut at its mark; none where no mark is."""
    for index, message in enumerate(messages):
        if isinstance(chars := message.additional_kwargs.get(STABLE), _Chars):
            return [*messages[:index], message.model_copy(update={"content": message.text[:chars]})]
    return []


def name_of(prefix: Sequence[BaseMessage]) -> str:
    """A name for what the prefix says."""
    texts = "\0".join(f"{message.type}:{message.text}" for message in prefix)
    return hashlib.sha256(texts.encode()).hexdigest()[:32]
