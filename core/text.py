"""Texts made fit: short enough for the model, and without what cannot be stored and sent."""

import re
import unicodedata

from personaagent.core.errors import UsageError

SENTENCE_ENDS = (". ", "! ", "? ", ".\n", "!\n", "?\n")
ELLIPSIS = " …"
GAP = " … "
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters other than line ends and tabs, and lone halves of surrogate pairs."""


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters: cut after a sentence, else after a word."""
    if len(text) <= limit:
        return text
    room = limit - len(ELLIPSIS)
    sentence = max(text.rfind(end, 0, room + 1) for end in SENTENCE_ENDS) + 1
    word = text.rfind(" ", 0, room + 1)
    cut = sentence if sentence > room // 2 else word if word > 0 else room
    return text[:cut].rstrip() + ELLIPSIS


def shorten_middle(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters: a third of it from the beginning, then the end.

    For what was asked: a long question tells at its beginning what is to be done, and at its end
    what it is to be done with.
    """
    if len(text) <= limit:
        return text
    room = limit - len(GAP)
    first = text[: room // 3]
    last = text[len(text) - (room - len(first)) :]
    head, tail = first.rpartition(" ")[0] or first, last.partition(" ")[2] or last
    return head.rstrip() + GAP + tail.lstrip()


def without_controls(text: str) -> str:
    """``text`` with U+FFFD in place of each control character."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def check_text(text: str, what: str, limit: int) -> str:
    """``text`` itself, if it can be stored and sent: UTF-8, no control characters, within ``limit``.

    Raises:
        UsageError: saying what is wrong with ``what``.
    """
    if not text.strip():
        raise UsageError(f"The {what} is empty.")
    if len(text) > limit:
        raise UsageError(f"The {what} has {len(text):,} characters; at most {limit:,} are allowed.")
    check_characters(text, what)
    return text


def check_characters(text: str, what: str) -> None:
    """Refuse ``text`` if it is not UTF-8 or holds control characters (line ends and tabs may be).

    Raises:
        UsageError: naming the first of them.
    """
    found = CONTROL.search(text)
    if found and unicodedata.category(found[0]) == "Cs":
        raise UsageError(f"The {what} is not valid UTF-8.")
    if found:
        raise UsageError(
            f"The {what} holds the control character U+{ord(found[0]):04X}: take it out."
        )
