"""Fields of JSON that others wrote: any may be missing, null, or of another type."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

Json = dict[str, Any]


def stream_values(file: BinaryIO, prefix: str) -> Iterator[Any]:
    """The values that stand there, as ijson names places; one after the other for an empty prefix.

    Only one of them is in memory at a time.

    Raises:
        ijson.JSONError: one of them is not JSON, or has a number out of range.
    """
    # Without use_float, a number of 5,000 digits ends the process: ijson does not expect that int()
    # may refuse it.
    return iter(ijson.items(file, prefix, multiple_values=not prefix, use_float=True))


def as_object(value: Any) -> Json:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """The text, or an empty one."""
    return value if isinstance(value, str) else ""


def as_id(value: Any) -> str:
    """An id, which some programs write as a number; or an empty text."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else as_text(value)
