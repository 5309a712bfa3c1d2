"""What all prompts of one kind begin with: the part of it that no user and no question changes."""

import hashlib
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

STABLE = "stable_chars"
"""Key in the ``additional_kwargs`` of a message: so many characters of its text, and all messages
before it, are the same in every prompt of its kind."""


def stable_prefix(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages up to the mark (``STABLE``), the last of them cut there; none where no mark is."""
    for index, message in enumerate(messages):
        if count := message.additional_kwargs.get(STABLE):
            return [*messages[:index], message.model_copy(update={"content": message.text[:count]})]
    return []


def name_of(prefix: Sequence[BaseMessage]) -> str:
    """A name for what the prefix says."""
    said = "\0".join(f"{message.type}:{message.text}" for message in prefix)
    return hashlib.sha256(said.encode()).hexdigest()[:32]
