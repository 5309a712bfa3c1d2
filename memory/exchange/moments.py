"""Times as programs write them: seconds, milliseconds and finer, ISO 8601; absent or absurd."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from personaagent.core.records import now

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LARGEST_SECONDS = 1e11
"""Unix times beyond it (year 5138) are milliseconds, microseconds or nanoseconds."""


def moment_of(value: Any) -> datetime | None:
    """The moment that a field names, in UTC; None if it names none, or one that cannot be.

    A text without a zone counts as UTC. A time to come is none: it would outrank all that is true.
    """
    moment = _from_number(value) if isinstance(value, int | float | Decimal) else _from_text(value)
    return moment if moment and EARLIEST <= moment <= now() + timedelta(days=2) else None


def _from_text(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return _in_utc(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        pass
    try:
        return _from_number(float(value))
    except ValueError:
        return None


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _from_number(value: float | Decimal) -> datetime | None:
    if isinstance(value, bool):
        return None
    try:
        seconds = float(value)
        for _ in range(3):
            seconds = seconds / 1000 if abs(seconds) > LARGEST_SECONDS else seconds
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
