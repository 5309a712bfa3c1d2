"""Fences: tags around text that is data in a prompt, and never instructions."""

import re

from personaagent.prompts.lookalikes import Disguises

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
_DISGUISES = Disguises(TAGS)


def fence(tag: str, text: str, **attributes: str) -> str:
    """``text`` between ``<tag ...>`` and ``</tag>``, made ``harmless``, so that it cannot close its fence.

    Raises:
        ValueError: ``tag`` is not one of ``TAGS``, so nothing would make it harmless in a text.
    """
    if tag not in TAGS:
        raise ValueError(f"unknown fence {tag!r}")
    written = "".join(f' {name}="{_attribute(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>\n{harmless(text)}\n</{tag}>"


def harmless(text: str) -> str:
    """``text`` in which our tags, however disguised, and the control tokens of chat templates
    (``<|im_end|>``, ``[/INST]``) open nothing: a ``‹`` stands in place of their bracket."""
    return _DISGUISES.made_harmless(text)


def _attribute(value: str) -> str:
    return re.sub(r'[<>"\s]+', " ", value).strip()
