"""Moments as views show them: in the user's time zone, to the minute."""

from datetime import datetime, tzinfo
from functools import cache

from personaagent.core.calendar import day_in, is_undated
from personaagent.core.settings import load_settings


@cache
def shown_zone() -> tzinfo:
    """The user's time zone."""
    return load_settings().zone


def shown_day(moment: datetime) -> str:
    """The day, as ``2026-08-04``."""
    return day_in(shown_zone(), moment)


def shown_minute(moment: datetime) -> str:
    """The day and the time, as ``2026-08-04 17:05``; ``unknown`` of what has no date."""
    if is_undated(moment):
        return "unknown"
    try:
        return f"{moment.astimezone(shown_zone()):%Y-%m-%d %H:%M}"
    except OverflowError:  # at the end of all time
        return f"{moment:%Y-%m-%d %H:%M}"
