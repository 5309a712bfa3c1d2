"""What all prompts of one kind begin with: the part of it that no user and no question changes."""

import hashlib
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

STABLE = "stable_chars"
"""Key in the ``additional_kwargs`` of a message: so many characters of its text, and all messages
before it, are the same in every prompt of its kind; 0 where nothing is."""


def stable_prefix(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages up to the first mark (``STABLE``), the last of them cut there; none without a mark.

    Only the first counts: those after it stand in what users have sent.
    """
    for index, message in enumerate(messages):
        if STABLE in message.additional_kwargs:
            text = message.text[: message.additional_kwargs[STABLE]]
            shared = message.model_copy(update={"content": text})
            return [*messages[:index], shared] if text else []
    return []


def name_of(prefix: Sequence[BaseMessage]) -> str:
    """A name for what the prefix says."""
    texts = "\0".join(f"{message.type}:{message.text}" for message in prefix)
    return hashlib.sha256(texts.encode()).hexdigest()[:32]
