"""Which turns of a conversation stand."""

import pytest

from personaagent.memory.branches import (
    LATEST_TURNS,
    Branch,
    Exchange,
    Turn,
    branch_of,
    digest,
    end_of_emptied,
    with_turn,
    without_turns,
)


def said(name: str, *, query: str = "", answer: str = "", response: str = "") -> Exchange:
    """An exchange of that name: the ids and texts of both messages."""
    return Exchange(f"h{name}", answer or f"a{name}", query or f"q{name}", response or f"r{name}")


def turn(name: str, follows: str | None = None, of: Exchange | None = None) -> Turn:
    return Turn(episode=name, follows=follows, at=0, **(of or said(name))._asdict())


LINE = [turn("1"), turn("2", "1"), turn("3", "2")]
FORKED = [*LINE, turn("4", "1"), turn("5", "4")]
"""After the first turn, 2 and 3 on one branch, and 4 and 5 on the other."""


def stands(branch: Branch) -> tuple[str, str]:
    return "".join(branch.standing), "".join(sorted(branch.left))


@pytest.mark.parametrize(
    ("messages", "standing", "left"),
    [
        ("123", "123", "45"),
        ("145", "145", "23"),
        ("1", "1", "2345"),
        ("", "", "12345"),
        ("23", "23", "45"),  # cut from the beginning
        ("5", "5", "23"),
        ("13", "13", "245"),  # taken out of the middle
    ],
)
def test_the_messages_say_which_branch_stands(messages: str, standing: str, left: str) -> None:
    branch = branch_of(FORKED, [said(name) for name in messages])
    assert stands(branch) == (standing, left)
    assert branch.last == (standing[-1] if standing else None)


def test_messages_under_other_ids_are_the_same() -> None:
    resent = [exchange._replace(human="x", answer="y") for exchange in map(said, "12")]
    assert stands(branch_of(LINE, resent)) == ("12", "3")


def test_equal_texts_count_as_often_as_they_stand_there() -> None:
    alike = [turn(name, of=said(name, query="q", response="r")) for name in "123"]
    one = Exchange("x", "y", "q", "r")
    assert len(branch_of(alike, [one, one]).standing) == 2
    exact = said("2", query="q", response="r")
    assert stands(branch_of(alike, [exact])) == ("2", "13")


def test_a_message_whose_answer_was_taken_out_or_edited_stands() -> None:
    for exchange in (Exchange("h1", "", "q1", ""), said("1", response="another")):
        assert stands(branch_of(LINE, [exchange, said("2")])) == ("12", "3")


def test_a_message_that_was_edited_in_place_was_left() -> None:
    assert stands(branch_of(LINE, [said("1", query="another"), said("2")])) == ("2", "13")


def test_an_emptied_conversation_ends_where_an_edit_begins() -> None:
    queries = {"1": "I live in Malmo.", "2": "Do cats purr at night?", "3": "What is a fjord?"}
    for message, end, left in [
        ("Why is the sky blue at noon?", "3", ""),
        ("I live in Lund.", None, "123"),
        ("Do dogs purr at night?", "1", "23"),
    ]:
        assert end_of_emptied(LINE, "3", queries, message, "new") == end
        assert stands(branch_of(LINE, [], end)) == ("", left)
    assert end_of_emptied(LINE, "3", queries, "Something else", "h2") == "1", "the same message"


def test_a_long_conversation_keeps_its_latest_turns() -> None:
    turns: list[Turn] = []
    for number in range(LATEST_TURNS + 2):
        turns = with_turn(turns, turn(str(number)))
    assert (len(turns), turns[0].episode) == (LATEST_TURNS, "2")
    assert len(with_turn(turns, turn("2"))) == LATEST_TURNS


def test_what_follows_a_turn_that_is_taken_out_follows_the_one_before() -> None:
    without = without_turns(LINE, ["2"])
    assert [(each.episode, each.follows) for each in without] == [("1", None), ("3", "1")]
    assert stands(branch_of(without, [said("3")])) == ("3", ""), "1 was cut from the beginning"
    assert without_turns(LINE, ["1", "2"]) == [turn("3")]


def test_a_digest_takes_any_text() -> None:
    assert digest("a") != digest("b")
    assert digest("\ud800") == digest("\ud800")
