"""Checks and shortens texts, so that they can be stored and sent to a model."""

import re
import unicodedata

from personaagent.core.errors import UsageError

SENTENCE_ENDS = (". ", "! ", "? ", ".\n", "!\n", "?\n")
ELLIPSIS = " …"
GAP = " … "
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters except line ends and tabs, and lone halves of surrogate pairs."""
PASTED = re.compile(r"[\x0b\x0c\x1c-\x1f\x80-\x9f]")
"""Control characters that come along with pasted text: page breaks, separators, wrong decodings."""


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters: cut after a sentence, else after a word."""
    if len(text) <= limit:
        return text
    budget = limit - len(ELLIPSIS)
    sentence = max(text.rfind(end, 0, budget + 1) for end in SENTENCE_ENDS) + 1
    word = text.rfind(" ", 0, budget + 1)
    cut = sentence if sentence > budget // 2 else word if word > 0 else budget
    return text[:cut].rstrip() + ELLIPSIS


def shorten_middle(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters: a third of it from the beginning, then the end.

    This suits questions: a long one says at its beginning what to do, and at its end what to do it
    with.
    """
    if len(text) <= limit:
        return text
    budget = limit - len(GAP)
    first = text[: budget // 3]
    last = text[len(text) - (budget - len(first)) :]
    head, tail = first.rpartition(" ")[0] or first, last.partition(" ")[2] or last
    return head.rstrip() + GAP + tail.lstrip()


def shorten_around(text: str, limit: int, start: int, end: int) -> str:
    """``text`` in at most ``limit`` characters: its beginning, and what stands at ``start`` to ``end``
    (with some text around it, or cut itself if there is no room)."""
    if len(text) <= limit:
        return text
    budget = limit - 2 * len(GAP)
    head = min(budget // 4, max(budget - (end - start), 0))
    room = budget - head
    first = max(min(start - max(room - (end - start), 0) // 2, len(text) - room), 0)
    if first <= head + len(GAP):
        return shorten(text, limit)
    opening = text[:head].rpartition(" ")[0] if head else ""
    closing = GAP.rstrip() if first + room < len(text) else ""
    return f"{opening.rstrip()}{GAP}{text[first : first + room].strip()}{closing}".strip()


def without_controls(text: str) -> str:
    """``text`` with U+FFFD in place of each control character."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def check_text(text: str, what: str, limit: int) -> str:
    """Return ``text`` if it can be stored and sent: not empty, UTF-8, no control characters, and at
    most ``limit`` characters long.

    Raises:
        UsageError: the message says what is wrong, and calls the text ``what``.
    """
    if not text.strip():
        raise UsageError(f"The {what} is empty.")
    if len(text) > limit:
        raise UsageError(f"The {what} has {len(text):,} characters; at most {limit:,} are allowed.")
    check_characters(text, what)
    return text


def without_pasted(text: str) -> str:
    """``text`` with U+FFFD in place of what is ``PASTED``."""
    return PASTED.sub("\N{REPLACEMENT CHARACTER}", text)


def check_message(text: str, limit: int) -> str:
    """The user's message as it can be stored and sent: as ``check_text``, but ``without_pasted``, as
    an import does it.

    Raises:
        UsageError: the message says what is wrong.
    """
    if not text.strip():
        raise UsageError("The message is empty.")
    return check_text(without_pasted(text), "message", limit)


def check_characters(text: str, what: str) -> None:
    """Refuse ``text`` if it is not UTF-8 or has control characters other than line ends and tabs.

    Raises:
        UsageError: the message names the first of them.
    """
    match = CONTROL.search(text)
    if match and unicodedata.category(match[0]) == "Cs":
        raise UsageError(f"The {what} is not valid UTF-8.")
    if match:
        raise UsageError(
            f"The {what} holds the control character U+{ord(match[0]):04X}: take it out."
        )
