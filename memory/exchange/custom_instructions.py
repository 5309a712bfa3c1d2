"""The custom instructions and the memory in an export of ChatGPT.

They stand in hidden messages of the conversations that used them:

- ``user_editable_context``: ``user_profile`` (about the user) and ``user_instructions`` (how to
  answer), each in a frame of words and a code fence; ``metadata.user_context_message_data`` has
  the same without it (``about_user_message``, ``about_model_message``);
- ``model_editable_context``: ``model_set_context``, the list that ChatGPT keeps about the user.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from personaagent.memory.exchange.json_values import Json, as_object

WISHES = "How the user wants answers: "
_FENCED = re.compile(r"```(?:\w*\n)?(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Note:
    """A text about the user, each line a statement that begins with ``prefix``; ``at`` is when it
    was written, if that is known."""

    text: str
    prefix: str = ""
    at: datetime | None = None


class CustomInstructions:
    """The newest of each kind in the conversations that were read."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[float, str]] = {}

    def read(self, conversation: Json) -> None:
        """Note what is newer; what does not look like a conversation is passed over."""
        for kind, at, text in _contexts(conversation):
            if text.strip() and at >= self._newest.get(kind, (float("-inf"), ""))[0]:
                self._newest[kind] = (at, text)

    def notes(self) -> list[Note]:
        """About the user, then what ChatGPT remembers, then how to answer."""
        at = _moment(max((at for at, _ in self._newest.values()), default=0))
        kinds = {"about_user": "", "memory": "", "about_model": WISHES}
        return [
            Note(self._newest[kind][1], prefix, at)
            for kind, prefix in kinds.items()
            if kind in self._newest
        ]


def _contexts(conversation: Json) -> Iterator[tuple[str, float, str]]:
    """The kind, time and text of everything of this sort in the conversation."""
    for node in as_object(conversation.get("mapping")).values():
        message = as_object(as_object(node).get("message"))
        content, metadata = as_object(message.get("content")), as_object(message.get("metadata"))
        at = _number(message.get("create_time")) or _number(conversation.get("create_time"))
        plain = as_object(metadata.get("user_context_message_data"))
        if content.get("content_type") == "user_editable_context" or plain:
            about_user = plain.get("about_user_message") or content.get("user_profile")
            about_model = plain.get("about_model_message") or content.get("user_instructions")
            yield "about_user", at, _unframed(about_user)
            yield "about_model", at, _unframed(about_model)
        elif content.get("content_type") == "model_editable_context":
            yield "memory", at, _unframed(content.get("model_set_context"))


def _unframed(text: Any) -> str:
    """The text inside its code fence, or all of it if it has none."""
    if not isinstance(text, str):
        return ""
    fenced = _FENCED.search(text)
    return (fenced[1] if fenced else text).strip()


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float | Decimal) else 0.0


def _moment(seconds: float) -> datetime | None:
    """The moment of that Unix time; None if there is none, or it is out of range."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
