"""The conversations of another program's export become episodes, as far as they can be read."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from personaagent.core.calendar import UNDATED
from personaagent.core.records import Episode
from personaagent.core.text import shorten, without_controls
from personaagent.memory.exchange.claude_notes import NOTE_FIELDS, NOTES
from personaagent.memory.exchange.formats import format_of, programs
from personaagent.memory.exchange.json_pieces import Broken
from personaagent.memory.exchange.json_values import as_object, as_text
from personaagent.memory.exchange.messages import ChatMessage, Conversation, Exchange, exchanges
from personaagent.memory.exchange.parse_results import (
    LeftOut,
    ParsedEpisode,
    derived_id,
    digest,
)

LONGEST_TEXT = 100_000
LONGEST_TITLE = 100
SHOWN_TITLE = 40
NO_EXCHANGE = "it has no message of yours with an answer"
NO_JSON = "it is not valid JSON, or cut off"
NO_MESSAGES = "it has no messages"
Item = ParsedEpisode | LeftOut


def read_chats(values: Iterable[Any], user_id: str, within: str = "") -> Iterator[Item]:
    """Each message of the user with the answer to it, as episodes of ``user_id``; and what is not.

    ``values`` are those of a file in JSON; ``within`` begins the name of each place. Control
    characters are replaced and texts over 100,000 characters cut.
    """
    for number, content in enumerate(values, 1):
        where = f"{within}conversation {number}"
        if isinstance(content, Broken):
            yield LeftOut(where, NO_JSON)
        else:
            yield from _read(content, where, user_id)


def _read(content: Any, where: str, user_id: str) -> Iterator[Item]:
    fields = as_object(content)
    named = _named(where, as_text(fields.get("title")) or as_text(fields.get("name")))
    chat_format = format_of(content)
    if chat_format is None:
        is_note = any(name in fields for name in NOTE_FIELDS)
        yield LeftOut(named, NOTES if is_note else f"it is not a conversation of {programs()}")
        return
    try:
        conversation = chat_format.conversation(content)
    except ValueError as error:
        yield LeftOut(named, str(error))
    else:
        yield from conversation_episodes(conversation, where, user_id)


def conversation_episodes(conversation: Conversation, where: str, user_id: str) -> Iterator[Item]:
    """The episodes of one conversation, and the messages that are none."""
    where = _named(where, conversation.title)
    found = [*exchanges(_dated(conversation))]
    if not any(isinstance(each, Exchange) for each in found):
        yield LeftOut(where, NO_EXCHANGE if conversation.messages else NO_MESSAGES)
        return
    for each in [*found, *conversation.omitted]:
        if isinstance(each, str):
            yield LeftOut(where, each, "message")
            continue
        episode = _episode(each, conversation, user_id)
        texts = f"{episode.query}\0{episode.response}"
        yield ParsedEpisode(where, episode, digest(texts.encode()))


def _episode(exchange: Exchange, conversation: Conversation, user_id: str) -> Episode:
    metadata = {"conversation_id": conversation.id, **conversation.extra}
    if conversation.title:
        metadata["title"] = shorten(conversation.title, LONGEST_TITLE)
    return Episode(
        id=_id(exchange.question, conversation),
        user_id=user_id,
        query=_storable(exchange.question.text),
        response=_storable(exchange.answer),
        created_at=exchange.question.at or UNDATED,
        source=conversation.source,
        metadata={name: without_controls(value) for name, value in metadata.items()},
    )


def _id(question: ChatMessage, conversation: Conversation) -> str:
    """Derived from the ids of the program; where one is missing, from the text too."""
    key = f"{conversation.source}:{conversation.id}:{question.id}"
    if not (conversation.id and question.id):
        key += f":{question.at}:{question.text}"
    return derived_id(without_controls(key))


def _dated(conversation: Conversation) -> Iterator[ChatMessage]:
    """The messages with a time each: as they say, else right after the one before, the first one
    when the conversation began.

    Where nothing has a time, they only keep their order: now would outrank what is true.
    """
    first = next((each.at for each in conversation.messages if each.at), None)
    latest = min(filter(None, (conversation.at, first)), default=UNDATED)
    for message in conversation.messages:
        latest = message.at or latest
        yield replace(message, at=latest)
        latest += timedelta(microseconds=1)


def _named(where: str, title: str) -> str:
    """The place with the title of the conversation, by which its user finds it."""
    line = " ".join(without_controls(title).split())
    return f'{where} ("{shorten(line, SHOWN_TITLE)}")' if line else where


def _storable(text: str) -> str:
    return shorten(without_controls(text), LONGEST_TEXT)
