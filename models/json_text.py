"""JSON objects in a model's text, whatever the model wrote around them."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from personaagent.models.reasoning import without_reasoning

_DECODER = json.JSONDecoder(strict=False)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_FENCED = re.compile(r"```\w*\s*\n(.*?)```", re.DOTALL)


def objects_in(text: str) -> list[dict[str, Any]]:
    """The JSON objects in ``text``, without those inside others, the longest first.

    They may stand in reasoning's wake, in a fence or amid prose. Where there is none, what would be
    one without trailing commas, or is one as Python writes it, counts too.
    """
    text = without_reasoning(text)
    values = sorted(_values(text), key=lambda found: -found[0])
    objects = [value for _, value in values if isinstance(value, dict)]
    return objects or [value for value in map(_mended, _spans(text)) if isinstance(value, dict)]


def _values(text: str) -> Iterator[tuple[int, Any]]:
    """The length and the value of each piece of ``text`` that is JSON."""
    at = 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            yield end - at, value
            at = end


def _spans(text: str) -> Iterator[str]:
    """Pieces of ``text`` that may be meant as an object."""
    for block in [*_FENCED.findall(text), text]:
        start, end = block.find("{"), block.rfind("}")
        if 0 <= start < end:
            yield block[start : end + 1]


def _mended(text: str) -> Any:
    try:
        return _DECODER.decode(_TRAILING_COMMA.sub(r"\1", text))
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
