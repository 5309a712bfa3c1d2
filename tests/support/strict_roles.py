"""What an endpoint that is strict about the shape of a conversation refuses."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

FOLLOWS = {
    "user": {"system", "assistant"},
    "assistant": {"user", "tool"},
    "tool": {"assistant", "tool"},
}
"""The roles after which a role may come."""


def shape_problem(messages: Sequence[dict[str, Any]]) -> str | None:
    """Why such an endpoint refuses these messages (as OpenAI's API takes them); None if it does not."""
    roles = [message["role"] for message in messages]
    if roles[:2] != ["system", "user"] or roles[-1] not in ("user", "tool"):
        return f"It must begin with system and user, and end with user or tool: {roles}."
    for before, role in pairwise(roles):
        if before not in FOLLOWS.get(role, ()):
            return f"{role} after {before}: {roles}."
    return next(filter(None, map(_empty, messages)), None) or _unpaired(messages)


def _empty(message: dict[str, Any]) -> str | None:
    content, calls = message.get("content"), message.get("tool_calls")
    text = content.strip() if isinstance(content, str) else content
    return None if text or calls else f"An empty message: {message}."


def _unpaired(messages: Sequence[dict[str, Any]]) -> str | None:
    """Results must follow their calls: all of them, each once."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return f"A result without its call: {message}."
            waiting.remove(message["tool_call_id"])
        elif waiting:
            return f"Calls without a result: {waiting}."
        else:
            waiting = [call["id"] for call in message.get("tool_calls") or []]
    return f"Calls without a result: {waiting}." if waiting else None
