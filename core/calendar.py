"""Days as the user counts them: time zones, and the day of a moment in one."""

import warnings
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import tzlocal

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""The day of what an import could not date: older than all that has a date."""


@cache
def time_zone(name: str | None) -> tzinfo:
    """The time zone of this IANA name (``Europe/Lisbon``); None is the machine's, else UTC.

    Raises:
        ValueError: there is no such zone; the message says so.
    """
    if name is None:
        return _machine_zone()
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        similar = get_close_matches(name, available_timezones(), 1)
        hint = f"do you mean {similar[0]}?" if similar else "one is Europe/Lisbon"
        raise ValueError(f"there is no time zone {name[:64]!r} ({hint})") from error


def check_time_zone(name: str | None) -> str | None:
    """The name of a time zone, if ``time_zone`` knows it.

    Raises:
        ValueError: see ``time_zone``.
    """
    time_zone(name)
    return name


def day_in(zone: tzinfo, moment: datetime) -> str:
    """The day of ``moment`` in ``zone``, as ``2026-08-04``; ``unknown`` of what has no date."""
    return "unknown" if is_undated(moment) else f"{_in_zone(zone, moment):%Y-%m-%d}"


def is_undated(moment: datetime) -> bool:
    """Whether the moment only stands for "at some time"."""
    return UNDATED <= moment < UNDATED + timedelta(days=1)


def weekday_in(zone: tzinfo, moment: datetime) -> str:
    """The day of ``moment`` in ``zone`` with its weekday, as ``Tuesday, 2026-08-04``."""
    return f"{_in_zone(zone, moment):%A, %Y-%m-%d}"


def _in_zone(zone: tzinfo, moment: datetime) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:  # a day at the end of all time
        return moment


def _machine_zone() -> tzinfo:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tzlocal warns where nothing names a zone
        try:
            return tzlocal.reload_localzone()
        except (LookupError, ValueError, OSError):
            return UTC
