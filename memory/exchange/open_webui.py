"""Conversations as Open WebUI exports them: one chat, or each element of "Export All Chats".

Since 2024 the chat stands in ``chat``; before, it was the element itself. ``history`` has the tree of
messages and ``currentId``; the oldest exports have a list of ``messages`` only.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from personaagent.memory.exchange.json_values import Json, as_id, as_list, as_object, as_text
from personaagent.memory.exchange.message_tree import TreeNode, standing_paths
from personaagent.memory.exchange.messages import ChatMessage, Conversation, Speaker, joined
from personaagent.memory.exchange.moments import moment_of
from personaagent.memory.exchange.written_text import text_of, without_markup

SPEAKERS: dict[str, Speaker] = {"user": "user", "assistant": "assistant"}


class OpenWebUI:
    """Chats of Open WebUI, and of Ollama WebUI, as it was called."""

    source = "open-webui"
    program = "Open WebUI"

    def recognises(self, item: Json) -> bool:
        """Whether the object is a chat, or wraps one."""
        chat = _chat(item)
        return isinstance(as_object(chat.get("history")).get("messages"), dict | list) or (
            "messages" in chat and ("chat" in item or "models" in chat)
        )

    def conversation(self, item: Json) -> Conversation:
        """The messages that the user saw last, without the branches beside them.

        Raises:
            ValueError: it has no messages.
        """
        chat = _chat(item)
        history = as_object(chat.get("history"))
        messages = dict(_messages(history.get("messages") or chat.get("messages")))
        if not messages:
            raise ValueError("it has no messages")
        nodes = {id: _node(message) for id, message in messages.items()}
        said = {id: _message(id, each) for id, each in messages.items() if _is_spoken(each)}
        last = as_id(history.get("currentId")) or as_id(item.get("current_message_id"))
        paths = standing_paths(nodes, last)
        return Conversation(
            id=as_id(item.get("id")) or as_id(chat.get("id")),
            source=self.source,
            at=moment_of(item.get("created_at")) or moment_of(chat.get("timestamp")),
            messages=joined([[said[id] for id in path if id in said] for path in paths]),
            title=as_text(item.get("title")) or as_text(chat.get("title")),
        )


def _chat(item: Json) -> Json:
    """The chat itself; a copy of the database has it as a text."""
    chat = item.get("chat", item)
    if isinstance(chat, str):
        try:
            chat = orjson.loads(chat)
        except orjson.JSONDecodeError:
            return {}
    return as_object(chat)


def _messages(messages: Any) -> Iterator[tuple[str, Json]]:
    """Each message with its id."""
    pairs = messages.items() if isinstance(messages, dict) else enumerate(as_list(messages))
    for name, message in pairs:
        if isinstance(message, dict):
            yield as_id(message.get("id")) or as_id(name), message


def _node(message: Json) -> TreeNode:
    return TreeNode(
        parent=as_id(message.get("parentId")) or None,
        children=[as_id(child) for child in as_list(message.get("childrenIds"))],
        at=moment_of(message.get("timestamp")),
        spoken=_is_spoken(message),
    )


def _is_spoken(message: Json) -> bool:
    """Whether one of the two said it, or nobody knows who."""
    return message.get("role") not in ("system", "tool")


def _message(id: str, message: Json) -> ChatMessage:
    role = as_text(message.get("role"))
    text = text_of(message.get("content"))
    if role == "assistant":
        failed = message.get("error") is True  # then, in older versions, the text is the error's
        text = "" if failed else without_markup(text) or text_of(_said(message.get("output")))
    elif role == "user":
        text = "\n\n".join([*filter(str.strip, [text]), *_attached(message.get("files"))])
    return ChatMessage(id, SPEAKERS.get(role, "unknown"), text, moment_of(message.get("timestamp")))


def _said(output: Any) -> list[Any]:
    """The parts of a response that are messages: not reasoning, and not the use of a tool."""
    items = [as_object(item) for item in as_list(output)]
    messages = [item for item in items if item.get("type") == "message"]
    return [part for item in messages for part in as_list(item.get("content"))]


def _attached(files: Any) -> Iterator[str]:
    """The texts that Open WebUI took out of the attached files."""
    for file in as_list(files):
        inner = as_object(as_object(file).get("file"))
        data = as_object(inner.get("data"))
        text = as_text(data.get("content")) or as_text(inner.get("content"))
        if text.strip():
            yield text
