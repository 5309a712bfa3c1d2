"""Texts made fit: short enough for the model, and without what cannot be stored and sent."""

import re

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
