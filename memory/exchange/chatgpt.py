"""A conversation as ChatGPT exports it: a tree of messages, and the path that was shown last."""

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


class _Metadata(BaseModel):
    is_visually_hidden_from_conversation: bool | None = None


class _Message(BaseModel):
    id: str
    author: _Author
    content: _Content | None = None
    create_time: Moment | None = None
    recipient: str | None = None
    metadata: _Metadata | None = None


class _Node(BaseModel):
    message: _Message | None = None
    parent: str | None = None


class ChatGPTConversation(BaseModel):
    """An element of ChatGPT's ``conversations.json``; fields that are not listed are ignored."""

    id: str | None = None
    conversation_id: str | None = None
    create_time: Moment | None = None
    current_node: str | None = None
    mapping: dict[str, _Node]

    def conversation(self) -> Conversation:
        """The path to ``current_node``, without the branches that were edited away or regenerated.

        Raises:
            ValueError: the path is broken.
        """
        messages = [node.message for node in self._path() if node.message is not None]
        return Conversation(
            id=self.conversation_id or self.id or "",
            source="chatgpt",
            at=self.create_time,
            messages=[
                ChatMessage(
                    message.id,
                    SPEAKERS[message.author.role],
                    _text(message.content),
                    message.create_time,
                )
                for message in messages
                if message.author.role in SPEAKERS and _is_visible(message)
            ],
        )

    def _path(self) -> list[_Node]:
        path: dict[str, _Node] = {}
        node_id = self.current_node
        while node_id is not None:
            if node_id in path or node_id not in self.mapping:
                raise ValueError("its messages do not lead from current_node to a first one")
            path[node_id] = self.mapping[node_id]
            node_id = path[node_id].parent
        if self.mapping and not path:
            raise ValueError("it has no current_node")
        return [*reversed(path.values())]


def _is_visible(message: _Message) -> bool:
    """Whether the message is between user and assistant: not hidden, and not for a tool."""
    hidden = message.metadata and message.metadata.is_visually_hidden_from_conversation
    return not hidden and message.recipient in (None, "all")


def _text(content: _Content | None) -> str:
    if content is None or content.content_type not in TEXTS:
        return ""
    texts = [part.get("text") if isinstance(part, dict) else part for part in content.parts or []]
    return "\n".join(text for text in texts if isinstance(text, str) and text)
