"""The values of a JSON file one by one, found by their brackets.

A parser gives up at the first mistake, and at a number or a depth that it was not made for. Here one
value that is no JSON costs no other, and only one is in memory at a time.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

LONGEST = 256 << 20
LONGEST_GAP = 1 << 16
_CHUNK = 1 << 20
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'"|\\.', re.DOTALL)


class Broken:
    """In place of a value that is no JSON, or is cut off."""


def read_values(file: BinaryIO, *, in_list: bool) -> Iterator[Any]:
    """The values from here on: of the list that begins here, or one after the other.

    Each is read by itself, also with what strict parsers refuse: bytes that are not UTF-8, raw
    control characters, NaN. ``Broken`` stands for one that is no JSON all the same.
    """
    depth, level = int(in_list), 0
    value, between = bytearray(), bytearray()
    for text, bracket in segments(file):
        if level > depth:
            value += text
        elif level == depth and len(between) < LONGEST_GAP:
            between += text
        if level == depth and bracket:
            yield from _simple_values(between)
            between.clear()
        if level > depth or bracket in (b"{", b"["):
            value += bracket if level >= depth else b""
        level += _step(bracket)
        if level < depth and bracket in (b"}", b"]"):
            return
        if level == depth and value:
            yield _loaded(value)
            value.clear()
        if len(value) > LONGEST:
            break
    yield from [] if in_list else _simple_values(between)
    yield from [Broken()] if in_list or value else []


def segments(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The text before each bracket, and the bracket; an empty one where a part of the file ends.

    What looks like a bracket in a string is text.
    """
    in_string, rest = False, b""
    while chunk := file.read(_CHUNK):
        text = rest + chunk
        start = place = 0
        while match := (_INSIDE if in_string else _OUTSIDE).search(text, place):
            place = match.end()
            if match[0] == b'"':
                in_string = not in_string
            elif not in_string:
                yield text[start : match.start()], match[0]
                start = place
        is_escaped = in_string and text.endswith(b"\\", place)
        end = len(text) - is_escaped
        rest = text[end:]
        yield text[start:end], b""


def _step(bracket: bytes) -> int:
    return {b"": 0, b"{": 1, b"[": 1}.get(bracket, -1)


def _simple_values(text: bytearray) -> Iterator[Any]:
    """The numbers, texts and nulls between two brackets; of very many, only the first."""
    for part in bytes(text[:LONGEST_GAP]).split(b","):
        if part.strip():
            yield _loaded(part)


def _loaded(text: bytes | bytearray) -> Any:
    try:
        return json.loads(text.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return Broken()
