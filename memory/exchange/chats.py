"""The conversations of another program's export become episodes, as far as they can be read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO

import ijson

from personaagent.core.calendar import UNDATED
from personaagent.core.records import Episode
from personaagent.core.text import shorten, without_controls
from personaagent.memory.exchange.claude_notes import NOTE_FIELDS, NOTES
from personaagent.memory.exchange.formats import format_of, programs
from personaagent.memory.exchange.json_pieces import Broken, read_pieces
from personaagent.memory.exchange.json_values import as_object, as_text, stream_values
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
NO_MESSAGES = "it has no messages"
Item = ParsedEpisode | LeftOut


def read_chats(file: BinaryIO, prefix: str, user_id: str, within: str = "") -> Iterator[Item]:
    """Each message of the user with the answer to it, as episodes of ``user_id``; and what is not.

    ``prefix`` is where the conversations stand in the JSON, as ijson names it; ``within`` begins
    the name of each place. Only one conversation is in memory at a time. One that is no JSON costs
    no other. Control characters are replaced and texts over 100,000 characters cut.
    """
    start, number, objects = file.tell(), 0, 0
    values = stream_values(file, prefix)
    while True:
        try:
            content = next(values)
        except StopIteration:
            return
        except ijson.JSONError:
            break
        number += 1
        objects += isinstance(content, dict | list)
        yield from _read(content, f"{within}conversation {number}", user_id)
    file.seek(start)
    pieces = read_pieces(file, len(prefix.split(".")) if prefix else 0)
    yield from _read_on(islice(pieces, objects, None), number, within, user_id)


def _read_on(pieces: Iterator[Any], number: int, within: str, user_id: str) -> Iterator[Item]:
    """What stands after the first ``number`` values, of which the next is no good JSON."""
    is_end = True
    for place, piece in enumerate(pieces, number + 1):
        is_end = False
        where = f"{within}conversation {place}"
        if isinstance(piece, Broken):
            yield LeftOut(where, "it is not valid JSON, or cut off")
        else:
            yield from _read(piece, where, user_id)
    if is_end:
        where = f"{within}conversation {number + 1}"
        yield LeftOut(where, "the file from here on is not valid JSON, or cut off")


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
