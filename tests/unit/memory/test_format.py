"""How episodes look in a prompt."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from personaagent.core.calendar import time_zone
from personaagent.core.records import Episode, Statement
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.earlier_answers import as_shown_for
from personaagent.memory.format import (
    format_episode,
    format_episodes,
    format_summary,
    format_within,
)
from personaagent.memory.index.protocol import PassageSpan
from personaagent.memory.passages import with_nearest
from personaagent.memory.reading import read_on
from personaagent.memory.terms import terms
from tests.support.memories import episode

PHONE = episode("e1", "I bought a Fairphone.", response="It is designed by Google.")


def test_an_unconfirmed_answer_is_shown_only_where_it_is_asked_for() -> None:
    [shown] = as_shown_for("Which phone do I have?", [PHONE])
    assert format_episode(shown) == (
        '<episode date="2026-01-01">\nthe user: I bought a Fairphone.\n</episode>'
    )
    [shown] = as_shown_for("What did you tell me about my phone?", [PHONE])
    assert "you answered, unconfirmed: It is designed by Google." in format_episode(shown)


def test_an_accepted_and_a_corrected_answer_are_always_shown() -> None:
    accepted = PHONE.with_feedback("accept")
    corrected = PHONE.with_feedback("edit", "Designed in Amsterdam.")
    for labelled in as_shown_for("Which phone do I have?", [accepted, corrected]):
        assert f"right answer: {labelled.ground_truth}" in format_episode(labelled)
    assert "Google" not in format_episode(corrected)


def test_whose_answer_it_was_and_that_it_was_rejected() -> None:
    rejected = PHONE.with_feedback("reject")
    assert "you answered, and the user rejected it: It is" in format_episode(rejected)
    imported = PHONE.model_copy(update={"source": "chatgpt"})
    assert "an assistant answered, unconfirmed: It is" in format_episode(imported)


def test_what_is_superseded_says_since_when_if_its_successor_is_shown() -> None:
    old = episode("old", "a", ground_truth="b", superseded_by="new")
    new = episode("new", "a", day=9, ground_truth="c")
    text, _ = format_episodes([new, old], 1000)
    assert text.startswith('<memories>\n<episode date="2026-01-01" superseded="2026-01-10">')
    assert "superseded" not in format_episodes([old], 1000)[0]


def test_days_are_those_of_the_users_time_zone() -> None:
    late = episode("late", "Good night.")  # midnight in UTC
    new_york = ZoneInfo("America/New_York")
    assert format_episode(late, zone=new_york).startswith('<episode date="2025-12-31">')
    assert 'date="2025-12-31"' in format_episodes([late], 1000, new_york)[0]
    assert 'date="2025-12-31"' in format_within([late], 1000, new_york)


def test_a_rejected_answer_is_not_shown_where_a_passage_of_it_is_found() -> None:
    trip = episode("e1", "Plan my trip to Croatia.", response="A day. " * 90 + "Ferry at 07:35.")
    question = "When does the ferry leave at 07 on my trip to Croatia?"
    found: PassageSpan = ("response", 540, 645)
    for answered, is_shown in ((trip, True), (trip.with_feedback("reject"), False)):
        [shown] = as_shown_for(question, [with_nearest(answered, found, terms(question))])
        assert ("you answered, unconfirmed: " in format_episode(shown)) == is_shown
        assert ("Ferry at 07:35." in format_episode(shown)) == is_shown


def test_a_long_answer_with_nothing_that_is_asked_for_is_not_shown() -> None:
    chatty = episode("e1", PHONE.query, response="Your phone is designed by Google. " * 20)
    for question in ("Which phone do I have?", "What do you know about my phone?"):
        recalled = with_nearest(chatty, ("response", 0, 340), terms(question))
        [shown] = as_shown_for(question, [recalled])
        assert "Google" not in format_episode(shown)


def test_reading_on_shows_no_answer_that_was_corrected() -> None:
    corrected = PHONE.with_feedback("edit", "In Amsterdam.")
    assert "Google" in read_on(PHONE, len(PHONE.query) + 1, 1000)
    assert "Google" not in read_on(corrected, len(PHONE.query) + 1, 1000)
    assert "Google" not in read_on(PHONE, 2, 1000), "the message ends where the user ended"


def test_both_lists_are_in_the_order_of_time_and_leave_out_the_worst() -> None:
    best_first = [episode(f"e{day}", f"day {day}", day=day) for day in (3, 1, 2)]
    one = estimate_tokens(format_episode(best_first[0]))
    text, left_out = format_episodes(best_first, 2 * one)
    assert left_out == 1
    assert text.index("day 1") < text.index("day 3")
    assert "day 2" not in text
    length = len(format_within(best_first[:2], 10_000))
    within = format_within(best_first, length)
    assert len(within) <= length
    assert within.index("day 1") < within.index("day 3")
    assert "day 2" not in within


def test_the_nearest_passage_of_a_long_text_is_shown_with_the_place_to_read_on() -> None:
    text = "Nothing here. " * 200 + "The locker is 4417. " + "Nothing there. " * 200
    start = text.index("The locker")
    long = episode("cv", text, response="Noted.")
    assert "4417" not in format_episode(long)
    shown = format_episode(with_nearest(long, ("query", start, start + 20), []))
    assert "4417" in shown
    assert f'rest="cv@{start + 20}"' in shown
    assert len(shown) < 1400
    assert "rest=" not in format_episode(with_nearest(PHONE, ("query", 0, 21), []))


def test_a_long_answer_that_holds_what_is_asked_for_is_shown_unconfirmed() -> None:
    trip = episode(
        "trip", "Plan my trip.", response="Walk. " * 200 + "Day 15: the ferry leaves at 07:35."
    )
    asked = terms("On which day does the ferry of my trip leave?")
    [shown] = as_shown_for("", [with_nearest(trip, ("query", 0, 13), asked)])
    assert "you answered, unconfirmed: Walk." in format_episode(shown)
    assert "07:35" in format_episode(shown)
    [shown] = as_shown_for("", [with_nearest(trip, ("query", 0, 13), terms("my trip"))])
    assert "Walk" not in format_episode(shown)


def test_days_are_the_users() -> None:
    late = Episode(
        id="e",
        user_id="a",
        query="q",
        response="r",
        created_at=datetime(2026, 8, 3, 23, tzinfo=UTC),
    )
    tokyo = time_zone("Asia/Tokyo")
    for text in (
        format_episode(late, zone=tokyo),
        format_episodes([late], 1000, tokyo)[0],
        format_within([late], 1000, tokyo),
    ):
        assert 'date="2026-08-04"' in text


def test_statements_stand_newest_last() -> None:
    august, december = datetime(2026, 8, 4, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)
    statements = [
        Statement(text="Lives in Lisbon.", evidence=["e2"], as_of=august),
        Statement(text="Lives in Malmo.", evidence=["e1"], as_of=december, changed_at=august),
        Statement(text="Has a dog.", source="user", changed_at=datetime(2026, 1, 1, tzinfo=UTC)),
        Statement(text="Has a cat.", evidence=["e0"]),
    ]
    assert format_summary(statements).splitlines()[1:-1] == [
        "- Has a cat.",
        "- Lives in Malmo.",
        "- Has a dog.",
        "- Lives in Lisbon.",
    ]
