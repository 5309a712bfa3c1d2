"""Times in any form become moments, and what is none becomes none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from personaagent.core.records import now
from personaagent.memory.exchange.moments import moment_of

MOMENT = datetime(2024, 6, 21, 20, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        1_719_000_000,
        1_719_000_000.0,
        Decimal("1719000000"),
        1_719_000_000_000,
        1_719_000_000_000_000,
        1_719_000_000_000_000_000,
        "1719000000",
        "1719000000000",
        "2024-06-21T20:00:00Z",
        "2024-06-21T20:00:00.000000000Z",
        "2024-06-21 22:00:00+02:00",
        " 2024-06-21T20:00:00 ",
    ],
)
def test_seconds_and_finer_units_and_texts_name_the_same_moment(value: Any) -> None:
    assert moment_of(value) == MOMENT


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "soon", "nan", "inf", True, [], {}, 0, -62_135_596_800.0, 1.8e20, 10**400),
        *(Decimal("1e400"), Decimal("NaN"), "0001-01-01T00:00:00+14:00"),
        pytest.param((now() + timedelta(days=30)).isoformat(), id="in a month"),
    ],
)
def test_what_cannot_be_a_time_is_none(value: Any) -> None:
    assert moment_of(value) is None
