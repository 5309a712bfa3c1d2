"""Conversations as Claude exports them: lists of messages, in newer exports with their parents."""

import re
from collections.abc import Iterator

from personaagent.memory.exchange.json_values import Json, as_id, as_list, as_object, as_text
from personaagent.memory.exchange.message_tree import TreeNode, standing_paths
from personaagent.memory.exchange.messages import ChatMessage, Conversation, Speaker, joined
from personaagent.memory.exchange.moments import moment_of

SPEAKERS: dict[str, Speaker] = {"human": "user", "user": "user", "assistant": "assistant"}
TEXTS = ("text", "voice_note")
NO_PARENT = "00000000-0000-4000-8000-000000000000"
_MARKUP = re.compile(
    r"\n*```\s*\nThis block is not supported on your current device yet\.\s*\n```"
    r"|<antThinking>.*?</antThinking>\s*"
    r"|</?(?:antArtifact|(?:antml:)?cite)\b[^<>]*>",
    re.DOTALL,
)


class Claude:
    """Claude's ``conversations.json``."""

    source = "claude"
    program = "Claude"

    def recognises(self, item: Json) -> bool:
        """Whether it has the list that only Claude calls so."""
        return "chat_messages" in item

    def conversation(self, item: Json) -> Conversation:
        """The messages of the path seen last; without parents, all in the file's order.

        Raises:
            ValueError: it has no messages.
        """
        messages = _by_id(as_list(item.get("chat_messages")))
        if not messages:
            raise ValueError("it has no messages")
        tree = {id: _node(message) for id, message in messages.items()}
        last = as_id(item.get("current_leaf_message_uuid"))
        paths = [[_message(messages[id]) for id in path] for path in standing_paths(tree, last)]
        project = as_text(as_object(item.get("project")).get("name"))
        return Conversation(
            id=as_id(item.get("uuid")),
            source=self.source,
            at=moment_of(item.get("created_at")) or moment_of(item.get("updated_at")),
            messages=joined(paths),
            title=as_text(item.get("name")),
            extra={"project": project} if project else {},
        )


def _by_id(messages: list[object]) -> dict[str, Json]:
    """The messages by their ids; by their place if they have none, or one that another has."""
    found: dict[str, Json] = {}
    for place, each in enumerate(messages):
        message = as_object(each)
        id = as_id(message.get("uuid"))
        found[id if id and id not in found else f"#{place}"] = message
    return found


def _node(message: Json) -> TreeNode:
    parent = as_id(message.get("parent_message_uuid"))
    at = moment_of(message.get("created_at"))
    return TreeNode(parent if parent not in ("", NO_PARENT) else None, at=at)


def _message(message: Json) -> ChatMessage:
    return ChatMessage(
        id=as_id(message.get("uuid")),
        speaker=SPEAKERS.get(as_text(message.get("sender")), "unknown"),
        text="\n\n".join(text for text in _texts(message) if text.strip()),
        at=moment_of(message.get("created_at")),
    )


def _texts(message: Json) -> Iterator[str]:
    """What was written, without thoughts and tools, then the texts of the attachments."""
    yield _MARKUP.sub("", _written(message)).strip()
    for attachment in as_list(message.get("attachments")):
        yield as_text(as_object(attachment).get("extracted_content")).strip()


def _written(message: Json) -> str:
    """The text parts; where there are none, as in older exports, the one text."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = [as_object(part) for part in as_list(content)]
    texts = [as_text(part.get("text")) for part in parts if part.get("type") in TEXTS]
    return "\n\n".join(text for text in texts if text) or as_text(message.get("text"))
