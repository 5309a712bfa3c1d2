"""Lists in pages: some items, and a cursor that asks for the next."""

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
    """Some items in order, and what asks for those after them (null: there are none)."""

    items: list[T]
    next: str | None = Field(description="The cursor of the next page.")


def first_of(found: Sequence[T], limit: int, place: Callable[[T], Any]) -> Page[T]:
    """A page of the first ``limit`` that were found; to know of a next one takes one more.

    ``place`` gives where an item stands, as what the cursor is made of.
    """
    items = [*found[:limit]]
    more = len(found) > limit
    cursor = urlsafe_b64encode(orjson.dumps(place(items[-1]))).decode() if more else None
    return Page(items=items, next=cursor)


def place_at(cursor: str | None, kind: Any) -> Any:
    """The place, of that kind, that the cursor was made of; None for no cursor.

    Raises:
        UsageError: no page gave such a cursor.
    """
    if cursor is None:
        return None
    try:
        return TypeAdapter(kind).validate_json(urlsafe_b64decode(cursor))
    except ValueError as error:
        raise UsageError("The cursor is none: take `next` of the page before it.") from error
