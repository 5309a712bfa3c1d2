"""An export of ChatGPT or Claude; the fields of a conversation show which of the two."""

from collections.abc import Iterator
from itertools import count
from typing import Any, BinaryIO

import ijson
from pydantic import ValidationError

from personaagent.core.records import Episode, now
from personaagent.core.text import shorten, without_controls
from personaagent.memory.exchange.chatgpt import ChatGPTConversation
from personaagent.memory.exchange.claude import ClaudeConversation
from personaagent.memory.exchange.messages import Conversation, exchanges
from personaagent.memory.exchange.parse_results import (
    ParsedEpisode,
    ParseProblem,
    derived_id,
    digest,
)

LONGEST_TEXT = 100_000


def read_chats(file: BinaryIO, user_id: str) -> Iterator[ParsedEpisode | ParseProblem]:
    """Each message of the user with the answer to it, as episodes of ``user_id``.

    Only one conversation is in memory at a time. Control characters are replaced and texts over
    100,000 characters cut, so that one odd message does not keep all others from being imported.
    """
    conversations = ijson.items(file, "item", use_float=True)
    for number in count(1):
        where = f"conversation {number}"
        try:
            content = next(conversations, None)
            if content is None:
                return
            yield from _parse(content, where, user_id)
        except ijson.JSONError as error:
            yield ParseProblem(where, _broken_json(error))
            return
        except ValidationError as error:
            yield ParseProblem(where, _invalid_field(error))
        except ValueError as error:
            yield ParseProblem(where, str(error))


def _parse(content: Any, where: str, user_id: str) -> Iterator[ParsedEpisode]:
    """The episodes of one conversation.

    Raises:
        ValueError: it is not a conversation.
    """
    for episode in _episodes(_conversation(content), user_id):
        text = f"{episode.query}\0{episode.response}"
        yield ParsedEpisode(where, episode, digest(text.encode()))


def _conversation(content: Any) -> Conversation:
    if isinstance(content, dict) and "mapping" in content:
        return ChatGPTConversation.model_validate(content).conversation()
    if isinstance(content, dict) and "chat_messages" in content:
        return ClaudeConversation.model_validate(content).conversation()
    raise ValueError("is not a conversation of a ChatGPT or Claude export")


def _episodes(conversation: Conversation, user_id: str) -> Iterator[Episode]:
    for question, answer in exchanges(conversation.messages):
        yield Episode(
            id=derived_id(f"{conversation.source}:{conversation.id}:{question.id}"),
            user_id=user_id,
            query=_storable(question.text),
            response=_storable(answer),
            created_at=question.at or conversation.at or now(),
            source=conversation.source,
            metadata={"conversation_id": conversation.id},
        )


def _storable(text: str) -> str:
    return shorten(without_controls(text), LONGEST_TEXT)


def _broken_json(error: ijson.JSONError) -> str:
    """The sentence for a file that cannot be parsed any further."""
    if "invalid bytes in UTF8" in str(error):
        return "the file from here on is not valid UTF-8"
    return "the file from here on is not valid JSON, or cut off"


def _invalid_field(error: ValidationError) -> str:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    return f"{path}: {first['msg']}".removeprefix(": ")
