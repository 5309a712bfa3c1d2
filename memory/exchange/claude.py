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
    """What is read of an element of Claude's ``conversations.json``; the rest is ignored."""

    uuid: str
    created_at: Moment | None = None
    chat_messages: list[_Message]

    def conversation(self) -> Conversation:
        """The messages of user and assistant, in the file's order."""
        said = [
            ChatMessage(each.uuid, SPEAKERS[each.sender], _text(each), each.created_at)
            for each in self.chat_messages
            if each.sender in SPEAKERS
        ]
        return Conversation(id=self.uuid, source="claude", at=self.created_at, said=said)


def _text(message: _Message) -> str:
    """The text parts, which leave out what tools gave; older exports have ``text`` alone."""
    parts = [part.text for part in message.content or [] if part.type == "text" and part.text]
    return "\n\n".join(parts) or message.text or ""
