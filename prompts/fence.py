"""Fences: tags around text that is data in a prompt, and never instructions."""

import re

TAGS = (
    "persona",
    "facts",
    "summary",
    "memories",
    "memory",
    "episodes",
    "episode",
    "request",
    "result",
    "query",
    "first",
    "second",
    "feedback",
    "preference",
    "answer",
    "wanted",
)
_OUR_TAG = re.compile(rf"<(?=/?(?:{'|'.join(TAGS)})\b)", re.IGNORECASE)


def fence(tag: str, text: str, **attributes: str) -> str:
    """``text`` between ``<tag ...>`` and ``</tag>``. Our tags inside ``text`` are made harmless, so
    that it cannot close its fence.

    Raises:
        ValueError: ``tag`` is not one of ``TAGS``, so nothing would make it harmless in a text.
    """
    if tag not in TAGS:
        raise ValueError(f"unknown fence {tag!r}")
    written = "".join(f' {name}="{_attribute(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>\n{_OUR_TAG.sub('‹', text)}\n</{tag}>"


def _attribute(value: str) -> str:
    return re.sub(r'[<>"\s]+', " ", value).strip()
