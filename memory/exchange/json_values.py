"""Fields of JSON that others wrote: any may be missing, null, or of another type."""

from typing import Any

Json = dict[str, Any]


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
