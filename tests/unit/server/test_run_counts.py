"""How runs go: what sets the pace of a night."""

from datetime import UTC, datetime, timedelta

import pytest

from personaagent.server.run_counts import Pace, _pace_here, pace_of

NIGHT = datetime(2026, 11, 29, 3, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NIGHT + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("ended", "failed"),
    [
        ([], 0),
        (["success"], 0),
        (["error", "timeout", "success", "error"], 2),
        (["interrupted", "error"], 0),
    ],
)
def test_failures_in_a_row_are_counted_from_the_last_run(ended: list[str], failed: int) -> None:
    assert pace_of(3, [(status, at(1)) for status in ended]) == Pace(
        3, failed, at(1) if ended else None
    )


def test_a_run_that_nobody_ended_holds_up_no_night() -> None:
    days_ago = {"status": "running", "created_at": at(-3 * 24 * 60), "updated_at": at(0)}
    evening = {"status": "running", "created_at": at(-60), "updated_at": at(0)}
    waiting = {"status": "pending", "created_at": at(1), "updated_at": at(1)}
    assert _pace_here([days_ago, evening, waiting], NIGHT).under_way == 2


def test_what_failed_before_the_night_does_not_slow_it() -> None:
    runs = [
        {"status": "error", "created_at": at(-9), "updated_at": at(9)},
        {"status": "error", "created_at": at(2), "updated_at": at(3)},
        {"status": "success", "created_at": at(1), "updated_at": at(2)},
    ]
    assert _pace_here(runs, NIGHT) == Pace(0, 1, at(3))
