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
from typing import Any, BinaryIO

import ijson

from personaagent.core.errors import Unreadable

_FENCED = re.compile(r"```(?:\w*\n)?(.*?)```", re.DOTALL)
Json = dict[str, Any]


@dataclass(frozen=True)
class CustomInstructions:
    """What stood in the newest conversation that had any: about the user, how to answer, and when."""

    text: str = ""
    wishes: str = ""
    at: datetime | None = None


def read_custom_instructions(file: BinaryIO) -> CustomInstructions:
    """The newest custom instructions and the newest memory of the export.

    Only one conversation is in memory at a time. What does not look like one is passed over.

    Raises:
        Unreadable: the file is not JSON.
    """
    newest: dict[str, tuple[float, str]] = {}
    try:
        for conversation in _conversations(file):
            for kind, at, text in _contexts(conversation):
                if text.strip() and at >= newest.get(kind, (float("-inf"), ""))[0]:
                    newest[kind] = (at, text)
    except ijson.JSONError as error:
        raise Unreadable(f"The file is not valid JSON, or cut off: {error}.") from error
    texts = {kind: text for kind, (_, text) in newest.items()}
    about = [texts[kind] for kind in ("about_user", "memory") if kind in texts]
    return CustomInstructions(
        text="\n".join(about),
        wishes=texts.get("about_model", ""),
        at=_moment(max((at for at, _ in newest.values()), default=0)),
    )


def _conversations(file: BinaryIO) -> Iterator[Json]:
    """The conversations of the file: of a list, or the one that it is."""
    start = file.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
    file.seek(0)
    items = ijson.items(file, "item" if start == b"[" else "", use_float=True)
    yield from (item for item in items if isinstance(item, dict))


def _contexts(conversation: Json) -> Iterator[tuple[str, float, str]]:
    """The kind, time and text of everything of this sort in the conversation."""
    for node in _dict(conversation.get("mapping")).values():
        message = _dict(_dict(node).get("message"))
        content, metadata = _dict(message.get("content")), _dict(message.get("metadata"))
        at = _number(message.get("create_time")) or _number(conversation.get("create_time"))
        plain = _dict(metadata.get("user_context_message_data"))
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


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _moment(seconds: float) -> datetime | None:
    """The moment of that Unix time; None if there is none, or it is out of range."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
