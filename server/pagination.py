"""Lists in pages: some items, and a cursor for the page after them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, Field, TypeAdapter

from personaagent.core.errors import UsageError

T = TypeVar("T")
Cursor = Annotated[
    str | None, Query(max_length=1000, description="`next` of the page before; none: the first.")
]


class Page(BaseModel, Generic[T]):
    """Some items in order, and the cursor of those after them (null: there are none)."""

    items: list[T]
    next: str | None = Field(description="The cursor of the next page.")


def make_page(items: Sequence[T], limit: int, position: Callable[[T], Any]) -> Page[T]:
    """A page of the first ``limit`` items; pass one item more, if there is one.

    Args:
        position: where an item stands in the list, as JSON; the cursor holds that of the last item.
    """
    page = [*items[:limit]]
    has_next = len(items) > limit
    return Page(items=page, next=encode_cursor(position(page[-1])) if has_next else None)


def encode_cursor(position: Any) -> str:
    """The cursor of what comes after ``position``."""
    return urlsafe_b64encode(orjson.dumps(position)).decode()


def decode_cursor(cursor: str | None, position_type: Any) -> Any:
    """The position that the cursor holds, of that type; None for no cursor.

    Raises:
        UsageError: no page gave such a cursor.
    """
    if cursor is None:
        return None
    try:
        return TypeAdapter(position_type).validate_json(urlsafe_b64decode(cursor))
    except ValueError as error:
        raise UsageError("The cursor is none: take `next` of the page before it.") from error
