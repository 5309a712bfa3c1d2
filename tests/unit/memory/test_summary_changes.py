"""Which statements of a summary are kept when there are too many."""

from datetime import UTC, datetime, timedelta

from personaagent.core.records import Statement
from personaagent.memory.summary_changes import keep_best

START = datetime(2026, 1, 1, tzinfo=UTC)


def statement(day: int, evidence: int = 1, **fields: object) -> Statement:
    cited = [f"e{day}-{n}" for n in range(evidence)]
    as_of = START + timedelta(days=day)
    return Statement.model_validate(
        {"text": f"Day {day}.", "evidence": cited, "as_of": as_of} | fields
    )


def kept_days(*statements: Statement) -> list[str]:
    return [each.text for each in keep_best(statements, 4)]


def test_what_fits_is_kept() -> None:
    assert kept_days(*map(statement, range(4))) == ["Day 0.", "Day 1.", "Day 2.", "Day 3."]


def test_what_was_said_once_long_ago_does_not_go_first() -> None:
    assert kept_days(*map(statement, range(6))) == ["Day 0.", "Day 1.", "Day 4.", "Day 5."]


def test_what_more_episodes_show_is_kept_however_old() -> None:
    often = [statement(day, evidence=3) for day in (1, 2)]
    once = [statement(day) for day in (0, 3, 4, 5)]
    kept = kept_days(once[0], *often, *once[1:])
    assert kept == ["Day 1.", "Day 2.", "Day 4.", "Day 5."]


def test_news_finds_a_place_beside_what_is_well_founded() -> None:
    often = [statement(day, evidence=3) for day in range(6)]
    assert "Day 9." in kept_days(*often, statement(9))


def test_the_users_own_and_locked_statements_are_kept_beside_them() -> None:
    own = statement(0, source="user")
    locked = statement(1, locked=True)
    imported = statement(2, evidence=0, source="chatgpt")
    kept = kept_days(own, locked, imported, *map(statement, range(3, 9)))
    assert kept == [f"Day {day}." for day in (0, 1, 2, 3, 4, 7, 8)]


def test_statements_that_say_the_same_are_told_apart() -> None:
    same = [statement(1, text="The same.") for _ in range(6)]
    assert len(kept_days(*same)) == 4
