"""The conversations of an export of ChatGPT or Claude, told by what they hold."""

from collections.abc import Iterator
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

    One conversation at a time is in memory. Control characters are replaced and texts over
    100,000 characters cut, so that an odd message does not stand in the way of all the others.
    """
    conversations = ijson.items(file, "item", use_float=True)
    number = 0
    while True:
        number += 1
        where = f"conversation {number}"
        try:
            given = next(conversations, None)
            if given is None:
                return
            conversation = _conversation(given)
            for episode in _episodes(conversation, user_id):
                yield ParsedEpisode(
                    where, episode, digest(f"{episode.query}\0{episode.response}".encode())
                )
        except ijson.JSONError as error:
            encoded = "invalid bytes in UTF8" in str(error)
            what = "is not valid UTF-8" if encoded else "is not valid JSON, or cut off"
            yield ParseProblem(where, f"the file from here on {what}")
            return
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            yield ParseProblem(where, f"{path}: {first['msg']}".removeprefix(": "))
        except ValueError as error:
            yield ParseProblem(where, str(error))


def _conversation(given: Any) -> Conversation:
    if isinstance(given, dict) and "mapping" in given:
        return ChatGPTConversation.model_validate(given).conversation()
    if isinstance(given, dict) and "chat_messages" in given:
        return ClaudeConversation.model_validate(given).conversation()
    raise ValueError("is not a conversation of a ChatGPT or Claude export")


def _episodes(conversation: Conversation, user_id: str) -> Iterator[Episode]:
    for question, answer in exchanges(conversation.said):
        query, response = _fit(question.text), _fit(answer)
        yield Episode(
            id=derived_id(f"{conversation.source}:{conversation.id}:{question.id}"),
            user_id=user_id,
            query=query,
            response=response,
            created_at=question.at or conversation.at or now(),
            source=conversation.source,
            metadata={"conversation_id": conversation.id},
        )


def _fit(text: str) -> str:
    return shorten(without_controls(text), LONGEST_TEXT)
