"""Gemini's activity as Google Takeout exports it ("My Activity", "Gemini Apps"), and its conversations.

``MyActivity.json`` is a list of records, newest first, one for each prompt. The user's words stand
in ``title`` behind a verb in their language, the answer in ``safeHtmlItem``, as HTML. A record names
its conversation only where it links to it.

Accounts of a workplace get whole conversations ("Conversation History"): ``conversation_turns``.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from personaagent.memory.exchange.html_text import html_text
from personaagent.memory.exchange.json_values import Json, as_list, as_object, as_text
from personaagent.memory.exchange.messages import ChatMessage, Conversation, Speaker
from personaagent.memory.exchange.moments import moment_of

SOURCE = "gemini"
NAMES = re.compile("gemini|bard", re.IGNORECASE)
PROMPTED = (
    "Prompted with:",
    "Prompted",
    "Asked Gemini:",
    "Asked Bard:",
    "Asked",
    "Said",
    "Branched",
    "Answered",
    "Gav instruktionen",
    "Fez uma pergunta:",
    "Perguntou:",
    "Preguntó:",
)
NOT_PROMPTED = (
    "Added",
    "Cleared",
    "Created",
    "Deleted",
    "Edited",
    "Exported",
    "Gave",
    "Pinned",
    "Renamed",
    "Selected",
    "Shared",
    "Updated",
    "Used",
    "Viewed",
    "Visited",
)
"""How titles of other activity begin in English; in other languages such a record has no answer."""
_ATTACHED = re.compile(r"\s*Attached \d+ files?\.?\s*\Z")
_CONVERSATION = re.compile(r"https://gemini\.google\.com/(?:u/\d+/)?app/([\w-]+)")
_LONGEST_VERB = 40


class Gemini:
    """Records of activity with Gemini, or Bard, as it was called; and whole conversations."""

    source = "gemini"
    program = "Gemini"

    def recognises(self, item: Json) -> bool:
        """Whether the object has the fields of one of the two, and is of no other product."""
        labels = [item.get("header"), *as_list(item.get("products"))]
        label = " ".join(map(as_text, labels)).strip()
        return "conversation_turns" in item or (
            "title" in item
            and not item.keys().isdisjoint(("header", "products", "safeHtmlItem"))
            and (not label or bool(NAMES.search(label)))
        )

    def conversation(self, item: Json) -> Conversation:
        """The prompt and its answer, or the turns of the conversation that stand.

        Raises:
            ValueError: it is other activity than a prompt.
        """
        if "conversation_turns" in item:
            return _conversation(item)
        answer = "\n\n".join(filter(None, map(html_text, _htmls(item.get("safeHtmlItem")))))
        prompt = _prompt(item, answered=bool(answer))
        at = moment_of(item.get("time"))
        id = _id(at.isoformat(timespec="seconds") if at else answer, prompt)
        messages = [ChatMessage(id, "user", prompt, at), ChatMessage(id, "assistant", answer, at)]
        return Conversation(id, SOURCE, at, messages, extra=_link(item))


def _prompt(record: Json, *, answered: bool) -> str:
    """What the user wrote.

    Raises:
        ValueError: the record is not of a prompt.
    """
    title = _ATTACHED.sub("", as_text(record.get("title"))).strip()
    if verb := _begins_with(title, PROMPTED):
        return title.removeprefix(verb).strip()
    verb, space, text = title.partition("\xa0")
    is_verb = bool(space) and len(verb) <= _LONGEST_VERB
    if _begins_with(title, NOT_PROMPTED) or not (answered or is_verb):
        raise ValueError("it is other activity than a prompt")
    return text.strip() if is_verb else title


def _begins_with(title: str, verbs: tuple[str, ...]) -> str | None:
    """The verb that the title begins with."""
    return next((verb for verb in verbs if re.match(rf"{re.escape(verb)}(?!\w)", title)), None)


def _htmls(items: Any) -> Iterator[str]:
    for item in as_list(items) or [items]:
        html = item if isinstance(item, str) else as_text(as_object(item).get("html"))
        if html:
            yield html


def _link(record: Json) -> dict[str, str]:
    """The id of the conversation, if the record links to it: only a page does."""
    fields = ("titleUrl", "subtitles", "details", "products")
    found = _CONVERSATION.search(str([record.get(field) for field in fields]))
    return {"conversation_id": found[1]} if found else {}


def _id(*parts: str) -> str:
    """An id that does not depend on spaces, so that the HTML gives the same as the JSON."""
    return sha256(" ".join(" ".join(parts).split()).encode(errors="replace")).hexdigest()[:32]


def _conversation(content: Json) -> Conversation:
    """The turns of a conversation; one with the number of an earlier one replaces what followed."""
    standing: list[tuple[int, ChatMessage]] = []
    created = as_text(content.get("creation_time"))
    for number, turn in enumerate(map(as_object, as_list(content["conversation_turns"]))):
        speaker: Speaker = "user" if "user_turn" in turn else "assistant"
        part = as_object(turn.get("user_turn") or turn.get("system_turn"))
        index = part.get("turn_index")
        index = index if isinstance(index, int) else number
        standing = [
            each
            for each in standing
            if each[0] < index or (each[0] == index and each[1].speaker != speaker)
        ]
        standing.append((index, _turn(_id(created, str(index)), speaker, part)))
    return Conversation(
        id=_id(created, as_text(content.get("title"))),
        source=SOURCE,
        at=moment_of(content.get("creation_time")),
        messages=[message for _, message in standing],
        title=as_text(content.get("title")),
    )


def _turn(id: str, speaker: Speaker, turn: Json) -> ChatMessage:
    """The turn; one that was deleted has no text."""
    if turn.get("turn_deleted_time"):
        text = ""
    elif speaker == "user":
        text = as_text(turn.get("prompt"))
    else:
        text = "\n\n".join(_said(turn.get("text")))
    return ChatMessage(id, speaker, text, moment_of(turn.get("turn_last_modified")))


def _said(parts: Any) -> Iterator[str]:
    for part in map(as_object, as_list(parts)):
        cards = map(as_object, as_list(part.get("cards")))
        texts = [as_text(part.get("data")), *(as_text(card.get("content")) for card in cards)]
        yield from filter(str.strip, texts)
