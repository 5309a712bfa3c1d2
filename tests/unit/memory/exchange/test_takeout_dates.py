"""Times in the words of many languages are read; other lines are not taken for times."""

import pytest

from personaagent.memory.exchange.takeout_dates import is_date, read_date


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Jan 2, 2025, 3:04:05 PM EDT", "2025-01-02T19:04:05"),
        ("Jul 3, 2026, 12:15:00 AM CEST", "2026-07-02T22:15:00"),
        ("May 19, 2026, 7:07:02\u202fPM GMT-03:00", "2026-05-19T22:07:02"),
        ("18 Sept 2025, 12:02:52 CET", "2025-09-18T11:02:52"),
        ("10 de mai. de 2026, 03:46:09 BRT", "2026-05-10T06:46:09"),
        ("17 de mar. de 2025, 7:01:02 p.m. GMT-06:00", "2025-03-18T01:01:02"),
        ("6 ago 2026, 1:02:03 a.\xa0m. CET", "2026-08-06T00:02:03"),
        ("19.06.2026, 12:23:08 MESZ", "2026-06-19T10:23:08"),
        ("12 juil. 2026 à 12:23:08 CEST", "2026-07-12T10:23:08"),
        ("4 juli 2026 09:15:00 CEST", "2026-07-04T07:15:00"),
        ("19 июн. 2026 г., 12:23:08 MSK", "2026-06-19T09:23:08"),
        ("19 cze 2026, 12:23:08 CEST", "2026-06-19T10:23:08"),
        ("19 Haz 2026 12:23:08 GMT+3", "2026-06-19T09:23:08"),
        ("19 thg 6, 2026, 12:23:08 GMT+07:00", "2026-06-19T05:23:08"),
        ("18 Sep 2025, 12.02.52 WIB", "2025-09-18T05:02:52"),
        ("2026年6月19日 12:23:08 CST", "2026-06-19T04:23:08"),
        ("Jun 19, 2026, 12:23:08 PM CST", "2026-06-19T18:23:08"),
        ("2024年10月19日 下午9:15:07 GMT+8", "2024-10-19T13:15:07"),
        ("2024. 10. 19. 오후 9:15:07 KST", "2024-10-19T12:15:07"),
        ("2026/06/19 12:23:08 JST", "2026-06-19T03:23:08"),
        ("6/19/2026, 12:23:08 UTC", "2026-06-19T12:23:08"),
        ("19 Jun 2026, 12:23:08 XYZ", "2026-06-19T12:23:08"),
        ("19 Jun 2026, 12:23:08", "2026-06-19T12:23:08"),
    ],
)
def test_a_time_is_read_in_its_language_and_zone(text: str, moment: str) -> None:
    assert is_date(text)
    assert read_date(text) == f"{moment}+00:00"


@pytest.mark.parametrize(
    "text", ["31 Feb 2025, 12:02:52 CET", "19 Foo 2026, 12:23:08 CET", "19 Jun 2026, 25:23:08 UTC"]
)
def test_a_day_that_cannot_be_is_unknown(text: str) -> None:
    assert is_date(text)
    assert read_date(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "2025",
        "12:02:52",
        "Meet me at 10:20:30 in 2024, please",
        "Jan 2, 2025, 3:04 PM",
    ],
)
def test_other_lines_are_no_times(text: str) -> None:
    assert not is_date(text)
