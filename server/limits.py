"""The size of bodies and pages."""

from typing import Annotated

from fastapi import Query

BODY_BYTES = 1_000_000
"""The longest body, except of an import."""
TOO_LONG = "The body is too long: send less at once."
MAX_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many at most.")]
