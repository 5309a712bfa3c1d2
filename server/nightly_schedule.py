"""When the nights of alignment begin (``PERSONAAGENT_ALIGN_NIGHTLY``)."""

from datetime import UTC, datetime, timedelta

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings, variable

NEVER = "never"
MINUTE = "H"
"""Stands for the minute at which the night begins: the first one, as one sweep spreads the users."""


class NightlySchedule:
    """The schedule of the settings; no night ever begins without one, or if nobody is aligned by itself.

    Raises:
        ConfigurationError: the setting is not a schedule.
    """

    def __init__(self, settings: Settings) -> None:
        off = settings.align_nightly == NEVER or not settings.align_after
        self._schedule = "" if off else _without_minute(settings.align_nightly)
        if self._schedule:
            _check(self._schedule, settings.align_nightly)

    @property
    def off(self) -> bool:
        """Whether no night ever begins."""
        return not self._schedule

    def last(self, now: datetime) -> datetime:
        """When the latest night began, in UTC: at this second, at the latest."""
        from croniter import croniter

        next_second = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        began: datetime = croniter(self._schedule, next_second).get_prev(datetime)
        return began


def _without_minute(schedule: str) -> str:
    minute, *others = schedule.split()
    return " ".join(["0" if minute == MINUTE else minute, *others])


def _check(schedule: str, shown: str) -> None:
    from croniter import CroniterError, croniter

    try:
        croniter(schedule, datetime.now(UTC)).get_prev()
    except CroniterError as error:
        raise ConfigurationError(
            f"{variable('align_nightly')} is not a schedule: '{shown}'. "
            "Give five fields as of cron (minute, hour, day, month, weekday), or 'never'."
        ) from error
