"""A conversation as ChatGPT exports it: a tree of messages, of which one path was seen last."""

from typing import Any

from pydantic import BaseModel

from personaagent.core.records import Moment
from personaagent.memory.exchange.messages import ChatMessage, Conversation, Speaker

SPEAKERS: dict[str, Speaker] = {"user": "user", "assistant": "assistant"}
TEXTS = ("text", "multimodal_text")


class _Author(BaseModel):
    role: str


class _Content(BaseModel):
    content_type: str = "text"
    parts: list[Any] | None = None


class _About(BaseModel):
    is_visually_hidden_from_conversation: bool | None = None


class _Message(BaseModel):
    id: str
    author: _Author
    content: _Content | None = None
    create_time: Moment | None = None
    recipient: str | None = None
    metadata: _About | None = None


class _Node(BaseModel):
    message: _Message | None = None
    parent: str | None = None


class ChatGPTConversation(BaseModel):
    """What is read of an element of ChatGPT's ``conversations.json``; the rest is ignored."""

    id: str | None = None
    conversation_id: str | None = None
    create_time: Moment | None = None
    current_node: str | None = None
    mapping: dict[str, _Node]

    def conversation(self) -> Conversation:
        """The path to ``current_node``: branches that were edited away or regenerated are not on it.

        Raises:
            ValueError: the path is broken.
        """
        messages = [node.message for node in self._path() if node.message is not None]
        return Conversation(
            id=self.conversation_id or self.id or "",
            source="chatgpt",
            at=self.create_time,
            said=[
                ChatMessage(
                    each.id, SPEAKERS[each.author.role], _text(each.content), each.create_time
                )
                for each in messages
                if each.author.role in SPEAKERS and _shown(each)
            ],
        )

    def _path(self) -> list[_Node]:
        path: dict[str, _Node] = {}
        at = self.current_node
        while at is not None:
            if at in path or at not in self.mapping:
                raise ValueError("its messages do not lead from current_node to a first one")
            path[at] = self.mapping[at]
            at = path[at].parent
        if self.mapping and not path:
            raise ValueError("it has no current_node")
        return [*reversed(path.values())]


def _shown(message: _Message) -> bool:
    """Whether the message was one between user and assistant: not hidden, nor to or from a tool."""
    hidden = message.metadata and message.metadata.is_visually_hidden_from_conversation
    return not hidden and message.recipient in (None, "all")


def _text(content: _Content | None) -> str:
    if content is None or content.content_type not in TEXTS:
        return ""
    parts = [
        part if isinstance(part, str) else part.get("text")
        for part in content.parts or []
        if isinstance(part, str | dict)
    ]
    return "\n".join(part for part in parts if isinstance(part, str) and part)
