"""Where the conversations stand in a JSON file of another program, or that it is one of our own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from personaagent.memory.exchange.formats import format_of
from personaagent.memory.exchange.json_pieces import LONGEST, read_values, segments

WRAPPERS = ("conversations", "chats", "data", "items")
OWN_FIELDS = ("query", "response", "ground_truth")
RECOGNISED_WITHIN = 50
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')
_LAST_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*$')


@dataclass(frozen=True)
class JsonPlace:
    """The place in the file (bytes) of a list, or of values that follow one another."""

    offset: int
    in_list: bool

    def values(self, file: BinaryIO) -> Iterator[Any]:
        """The values there; ``Broken`` for one that is no JSON."""
        file.seek(self.offset)
        return read_values(file, in_list=self.in_list)

    def holds_conversations(self, file: BinaryIO) -> bool:
        """Whether one of the first 50 values is a conversation of a program that we know."""
        return any(format_of(each) for each in islice(self.values(file), RECOGNISED_WITHIN))


def place_of_conversations(file: BinaryIO) -> JsonPlace | None:
    """From here on: of a list, of one object or several, or of a list in an object.

    None: the file holds no JSON, or JSON lines of our own. The file stays where it was.
    """
    start = file.tell()
    try:
        first = file.read(1024).lstrip()[:1]
        file.seek(start)
        if first == b"[":
            return JsonPlace(start, in_list=True)
        return _place_in_object(file, start) if first == b"{" else None
    finally:
        file.seek(start)


def _place_in_object(file: BinaryIO, start: int) -> JsonPlace | None:
    keys, wrapper, is_whole = _outline(file, start)
    if any(key in keys for key in OWN_FIELDS):
        return None
    place = JsonPlace(start if wrapper is None else wrapper, in_list=wrapper is not None)
    if is_whole:
        return place if place.holds_conversations(file) else None
    file.seek(start)
    is_pretty = file.readline(1024).strip() == b"{"
    return place if wrapper or is_pretty or format_of(dict.fromkeys(keys)) else None


def _outline(file: BinaryIO, offset: int) -> tuple[list[str], int | None, bool]:
    """The keys of the object that begins at ``offset``, where one of them wraps a list of
    conversations, and whether the object ends."""
    outside, level, wrapper, is_whole = bytearray(), 0, None, False
    for text, bracket in segments(file):
        offset += len(text)
        if level == 1:
            outside += text
            key = _LAST_KEY.search(outside, max(len(outside) - 100, 0)) if bracket == b"[" else None
            wrapper = offset if key and key[1].decode(errors="replace") in WRAPPERS else wrapper
        offset += len(bracket)
        level += 0 if not bracket else 1 if bracket in b"{[" else -1
        is_whole = level == 0 and bracket != b""
        if is_whole or len(outside) > LONGEST:
            break
    keys = [key.decode(errors="replace") for key in _KEY.findall(outside)]
    return keys, wrapper, is_whole
