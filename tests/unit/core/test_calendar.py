"""Days in the user's time zone, and what is said of a zone that does not exist."""

from datetime import UTC, datetime

import pytest

from personaagent.core.calendar import day_in, time_zone, weekday_in
from personaagent.core.errors import ConfigurationError, UsageError
from personaagent.core.settings import load_settings
from personaagent.core.states import AgentContext, zone_of

LATE = datetime(2026, 8, 3, 23, 30, tzinfo=UTC)


def test_a_late_evening_is_the_next_day_further_east() -> None:
    assert day_in(time_zone("UTC"), LATE) == "2026-08-03"
    assert day_in(time_zone("Europe/Lisbon"), LATE) == "2026-08-04"
    assert weekday_in(time_zone("America/New_York"), LATE) == "Monday, 2026-08-03"


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
def test_the_ends_of_time_have_a_day_in_every_zone(moment: datetime) -> None:
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert day_in(time_zone(name), moment.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    "name", ["Europe/Lisbn", "Europe", "../../etc/passwd", "CET+99", "a\0b", ""]
)
def test_a_wrong_zone_is_refused_as_a_setting_and_for_a_run(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"PERSONAAGENT_TIMEZONE.*no time zone"):
        load_settings(timezone=name)
    with pytest.raises(UsageError, match="no time zone"):
        AgentContext(user_id="anna", timezone=name)


def test_a_mistyped_zone_is_named_with_the_right_one() -> None:
    with pytest.raises(ConfigurationError, match="do you mean Europe/Lisbon"):
        load_settings(timezone="Europe/Lisbn")


def test_the_zone_of_a_run_wins_over_the_setting() -> None:
    settings = load_settings(timezone="Asia/Tokyo")
    assert zone_of(None, settings) == zone_of(AgentContext(user_id="a"), settings)
    assert day_in(zone_of(None, settings), LATE) == "2026-08-04"
    new_york = AgentContext(user_id="a", timezone="America/New_York")
    assert day_in(zone_of(new_york, settings), LATE) == "2026-08-03"


@pytest.mark.parametrize(
    ("variable", "day"), [("Asia/Tokyo", "2026-08-04"), ("Nowhere", "2026-08-03")]
)
def test_the_default_is_the_machines_zone_and_else_utc(
    monkeypatch: pytest.MonkeyPatch, variable: str, day: str
) -> None:
    monkeypatch.setenv("TZ", variable)
    time_zone.cache_clear()
    assert day_in(load_settings().zone, LATE) == day
    time_zone.cache_clear()
