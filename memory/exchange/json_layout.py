"""Where the conversations stand in a JSON file of another program, or that it is one of our own."""

from itertools import islice
from typing import BinaryIO

import ijson

from personaagent.memory.exchange.formats import format_of
from personaagent.memory.exchange.json_values import stream_values

LIST = "item"
SINGLE = ""
WRAPPERS = ("conversations", "chats", "data", "items")
OWN_FIELDS = ("query", "response", "ground_truth")
RECOGNISED_WITHIN = 50


def conversations_prefix(file: BinaryIO) -> str | None:
    """ijson's prefix of the conversations: of a list, of one object or several, of a list in it.

    None: the file holds no JSON, or JSON lines of our own. The file stays where it was.
    """
    start = file.tell()
    try:
        first = file.read(1024).lstrip()[:1]
        file.seek(start)
        if first == b"[":
            return LIST
        return _prefix_of_object(file, start) if first == b"{" else None
    finally:
        file.seek(start)


def holds_conversations(file: BinaryIO, prefix: str) -> bool:
    """Whether one of the first 50 values there is a conversation of a program that we know."""
    start = file.tell()
    values = stream_values(file, prefix)
    try:
        return any(format_of(each) for each in islice(values, RECOGNISED_WITHIN))
    except ijson.JSONError:
        return False
    finally:
        file.seek(start)


def _prefix_of_object(file: BinaryIO, start: int) -> str | None:
    keys, wrapper, is_whole = _outline(file)
    if any(key in keys for key in OWN_FIELDS):
        return None
    file.seek(start)
    prefix = SINGLE if wrapper is None else f"{wrapper}.{LIST}"
    if is_whole:
        return prefix if holds_conversations(file, prefix) else None
    is_pretty = file.readline(1024).strip() == b"{"
    return prefix if wrapper or is_pretty or format_of(dict.fromkeys(keys)) else None


def _outline(file: BinaryIO) -> tuple[list[str], str | None, bool]:
    """The keys of the first object, which of them wraps a list, and whether the object ends."""
    keys: list[str] = []
    wrapper = None
    try:
        for prefix, event, value in ijson.parse(file, multiple_values=True, use_float=True):
            if prefix == "" and event == "map_key":
                keys.append(value)
            elif prefix in WRAPPERS and event == "start_array":
                wrapper = prefix
            elif prefix == "" and event == "end_map":
                return keys, wrapper, True
    except ijson.JSONError:
        pass
    return keys, wrapper, False
