"""The values of a JSON file one by one, where a parser has given up on one of them."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

LONGEST = 256 << 20
_CHUNK = 1 << 20
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'"|\\.', re.DOTALL)


class Broken:
    """In place of a value that is no JSON."""


def read_pieces(file: BinaryIO, depth: int) -> Iterator[Any]:
    """The objects that stand in ``depth`` brackets, whatever stands between them.

    Each is read by itself, with what other parsers refuse: bytes that are not UTF-8, raw control
    characters, NaN. ``Broken`` stands for one that is no JSON all the same, or is cut off.
    """
    for piece in _pieces(file, depth):
        try:
            yield json.loads(piece.decode(errors="replace"), strict=False)
        except (ValueError, RecursionError):
            yield Broken()


def _pieces(file: BinaryIO, depth: int) -> Iterator[bytes]:
    """The texts of the objects, by their brackets; the last may be cut off."""
    piece = bytearray()
    open_brackets, in_string, rest = 0, False, b""
    while chunk := file.read(_CHUNK):
        text = rest + chunk
        start = place = 0
        while match := (_INSIDE if in_string else _OUTSIDE).search(text, place):
            token, place = match[0], match.end()
            if token == b'"':
                in_string = not in_string
            elif in_string:
                continue
            elif token in b"{[":
                start = match.start() if open_brackets == depth else start
                open_brackets += 1
            else:
                open_brackets -= 1
                if open_brackets == depth:
                    yield bytes(piece + text[start:place])
                    piece.clear()
                    start = place
        is_escaped = in_string and text.endswith(b"\\", place)
        end = len(text) - is_escaped
        rest = text[end:]
        if open_brackets > depth:
            piece += text[start:end]
        if len(piece) > LONGEST:
            break
    if piece:
        yield bytes(piece)
