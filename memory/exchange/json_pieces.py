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
OPENING, CLOSING = (b"{", b"["), (b"}", b"]")
_CHUNK = 1 << 20
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'"|\\.', re.DOTALL)


class Broken:
    """In place of a value that is no JSON, or is cut off."""


def read_values(file: BinaryIO, *, in_list: bool) -> Iterator[Any]:
    """The values from here on: of the list that begins here, and of lists right after it, or one
    after the other.

    Each is read by itself, also with what strict parsers refuse: bytes that are not UTF-8, raw
    control characters, NaN. ``Broken`` stands for one that is no JSON all the same.
    """
    depth, level, is_closed = int(in_list), 0, False
    value, between = bytearray(), bytearray()
    for text, bracket in segments(file):
        if is_closed and (text.strip() or bracket not in (b"", b"[")):
            return
        if level > depth:
            value += text
        elif level == depth and len(between) < LONGEST_GAP:
            between += text
        if level > depth or (level == depth and bracket in OPENING):
            value += bracket
        if level == depth and bracket:
            yield from _simple_values(between)
            between.clear()
        level += _step(bracket)
        if level == depth and value:
            yield _loaded(value)
            value.clear()
        is_closed = level < depth and (is_closed or bracket in CLOSING)
        if len(value) > LONGEST:
            break
    if in_list or value:
        yield from [] if is_closed else [Broken()]
    else:
        yield from _simple_values(between)


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
    return (bracket in OPENING) - (bracket in CLOSING)


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
