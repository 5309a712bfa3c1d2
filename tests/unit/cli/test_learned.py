"""How far back ``learned`` looks."""

from datetime import UTC, datetime, timedelta

import pytest

from personaagent.cli.dates import shown_zone
from personaagent.cli.learned import start_of
from personaagent.core.errors import UsageError

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def zone(monkeypatch):
    def live_in(name: str) -> None:
        monkeypatch.setenv("PERSONAAGENT_TIMEZONE", name)
        shown_zone.cache_clear()

    yield live_in
    shown_zone.cache_clear()


@pytest.mark.parametrize(
    ("since", "start"),
    [
        ("12h", NOW - timedelta(hours=12)),
        ("7d", NOW - timedelta(days=7)),
        (" 4w ", NOW - timedelta(days=28)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:00+02:00", datetime(2026, 3, 1, 6, tzinfo=UTC)),
    ],
)
def test_a_span_or_a_date(since: str, start: datetime, zone) -> None:
    zone("UTC")
    assert start_of(since, NOW) == start


def test_a_date_begins_at_midnight_where_the_user_is(zone) -> None:
    zone("Asia/Tokyo")
    assert start_of("2026-03-01", NOW) == datetime(2026, 2, 28, 15, tzinfo=UTC)


@pytest.mark.parametrize("since", ["", "week", "7", "7y", "-7d", "999999w", "2026-13-01"])
def test_what_is_no_time_is_refused(since: str) -> None:
    with pytest.raises(UsageError, match="is not a time: use 12h, 7d or 4w, or a date"):
        start_of(since, NOW)
