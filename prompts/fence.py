"""Fences: how text that is data, never instructions, stands in a prompt."""

import re

TAGS = (
    "persona",
    "facts",
    "summary",
    "memories",
    "memory",
    "episodes",
    "episode",
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
    """``text`` between ``<tag ...>`` and ``</tag>``; any tag of ours inside it is defused.

    Raises:
        ValueError: ``tag`` is not one of ``TAGS`` (a fence that nobody defuses is none).
    """
    if tag not in TAGS:
        raise ValueError(f"unknown fence {tag!r}")
    shown = "".join(f' {name}="{_attribute(value)}"' for name, value in attributes.items())
    return f"<{tag}{shown}>\n{_OUR_TAG.sub('‹', text)}\n</{tag}>"


def _attribute(value: str) -> str:
    return re.sub(r'[<>"\s]+', " ", value).strip()
