"""Conversations as LibreChat exports them: ``messages`` in a list, or ``messagesTree``, nested."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from personaagent.memory.exchange.json_values import Json, as_id, as_list, as_object, as_text
from personaagent.memory.exchange.message_tree import TreeNode, standing_paths
from personaagent.memory.exchange.messages import ChatMessage, Conversation, joined
from personaagent.memory.exchange.moments import moment_of
from personaagent.memory.exchange.written_text import text_of, without_markup

NO_PARENT = "00000000-0000-0000-0000-000000000000"


class LibreChat:
    """Conversations of LibreChat."""

    source = "librechat"
    program = "LibreChat"

    def recognises(self, item: Json) -> bool:
        """Whether the object has the fields of a conversation."""
        return "conversationId" in item and ("messages" in item or "messagesTree" in item)

    def conversation(self, item: Json) -> Conversation:
        """The messages up to the newest one, without the branches beside them.

        Raises:
            ValueError: it has no messages.
        """
        messages = item.get("messagesTree") or item.get("messages")
        nodes: dict[str, TreeNode] = {}
        said: dict[str, ChatMessage] = {}
        for id, parent, message in _messages(messages):
            nodes[id] = TreeNode(parent, at=_moment(message.get("createdAt")))
            said[id] = _message(id, message)
        if not nodes:
            raise ValueError("it has no messages")
        one_path = item.get("branches") is False and "messagesTree" not in item
        paths = [[*nodes]] if one_path else standing_paths(nodes)
        return Conversation(
            id=as_id(item.get("conversationId")),
            source=self.source,
            at=_moment(item.get("createdAt")),
            messages=joined([[said[id] for id in path] for path in paths]),
            title=as_text(item.get("title")),
        )


def _messages(messages: Any) -> Iterator[tuple[str, str | None, Json]]:
    """The id, parent and content of all messages, those nested in one after it."""
    waiting: list[tuple[Json, str | None]] = [(each, None) for each in reversed(_list(messages))]
    number = 0
    while waiting:
        message, above = waiting.pop()
        number += 1
        id = as_id(message.get("messageId")) or as_id(message.get("id")) or f"message {number}"
        parent = above or as_id(message.get("parentMessageId"))
        yield id, None if parent in ("", NO_PARENT) else parent, message
        waiting += [(child, id) for child in reversed(_list(message.get("children")))]


def _list(messages: Any) -> list[Json]:
    """The messages; a conversation of one has it without a list."""
    each = as_list(messages) or [messages]
    return [message for message in each if isinstance(message, dict)]


def _message(id: str, message: Json) -> ChatMessage:
    by_user = message.get("isCreatedByUser")
    if not isinstance(by_user, bool):
        by_user = as_text(message.get("sender")).casefold() == "user"
    text = text_of(message.get("content")) or text_of(message.get("text"))
    if by_user:
        text = "\n\n".join([*filter(str.strip, [text]), *_attached(message.get("files"))])
    else:
        text = "" if message.get("error") is True else without_markup(text)
    at = _moment(message.get("createdAt"))
    return ChatMessage(id, "user" if by_user else "assistant", text, at)


def _attached(files: Any) -> Iterator[str]:
    """The texts that LibreChat took out of the attached files."""
    texts = (as_text(as_object(file).get("text")) for file in as_list(files))
    return filter(str.strip, texts)


def _moment(value: Any) -> datetime | None:
    """The moment; MongoDB wraps one in ``$date``."""
    return moment_of(value.get("$date") if isinstance(value, dict) else value)
