"""A conversation as Claude exports it: a list of messages."""

from pydantic import BaseModel

from personaagent.core.records import Moment
from personaagent.memory.exchange.messages import ChatMessage, Conversation, Speaker

SPEAKERS: dict[str, Speaker] = {"human": "user", "assistant": "assistant"}


class _Part(BaseModel):
    type: str
    text: str | None = None


class _Message(BaseModel):
    uuid: str
    sender: str
    text: str | None = None
    content: list[_Part] | None = None
    created_at: Moment | None = None


class ClaudeConversation(BaseModel):
    """An element of Claude's ``conversations.json``; fields that are not listed are ignored."""

    uuid: str
    created_at: Moment | None = None
    chat_messages: list[_Message]

    def conversation(self) -> Conversation:
        """The messages of user and assistant, in the file's order."""
        messages = [
            ChatMessage(message.uuid, SPEAKERS[message.sender], _text(message), message.created_at)
            for message in self.chat_messages
            if message.sender in SPEAKERS
        ]
        return Conversation(id=self.uuid, source="claude", at=self.created_at, messages=messages)


def _text(message: _Message) -> str:
    """The text parts, without the results of tools; older exports have only ``text``."""
    texts = [part.text for part in message.content or [] if part.type == "text" and part.text]
    return "\n\n".join(texts) or message.text or ""
