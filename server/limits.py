"""How much a request may be: bodies and pages."""

from typing import Annotated

from fastapi import Query

BODY_BYTES = 1_000_000
"""The longest body, but for that of an import."""
LONGEST_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="How many at most.")]
