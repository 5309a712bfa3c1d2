"""What comes first among the found, whatever the scores."""

import pytest

from personaagent.core.records import Episode
from personaagent.memory.precedence import by_precedence, is_bare_question
from tests.support.memories import episode


def order(ranked: list[Episode], *others: Episode, answers: bool = False) -> list[str]:
    successors = {each.id: each for each in [*ranked, *others]}
    return [each.id for each in by_precedence(ranked, successors, answers=answers)]


def test_a_correction_takes_the_rank_of_what_it_corrects() -> None:
    old = episode("old", "My phone is a Pixel.", superseded_by="new")
    other, new = episode("other", "I like rye."), episode("new", "My phone is a Fairphone.", day=2)
    assert order([old, other, new]) == ["new", "other", "old"]
    assert order([old, other], new) == ["new", "other", "old"], "also if it was not found itself"


def test_a_correction_of_a_correction_stands_first() -> None:
    first = episode("first", "a.", superseded_by="second")
    second = episode("second", "b.", superseded_by="third")
    assert order([first, second], episode("third", "c.")) == ["third", "first", "second"]


def test_what_is_superseded_by_something_hidden_or_by_itself_in_a_ring_stands() -> None:
    old = episode("old", "a.", superseded_by="hidden")
    assert order([old, episode("b", "b.")]) == ["old", "b"]
    ring = [episode("a", "a.", superseded_by="b"), episode("b", "b.", superseded_by="a")]
    assert sorted(order(ring)) == ["a", "b"], "nothing is lost"


def test_a_bare_question_stands_behind_what_tells_something() -> None:
    question, told = episode("q", "Which phone do I have?"), episode("s", "I bought a Fairphone.")
    assert order([question, told]) == ["s", "q"]
    assert order([question, told], answers=True) == ["q", "s"]


@pytest.mark.parametrize(
    ("query", "bare"),
    [
        ("Which phone do I have?", True),
        ("Where do I live? And since when?", True),
        ("我住在哪里？", True),
        ("私はどこに住んでいますか。", True),
        ("I am allergic to nuts. What can I eat?", False),
        ("I bought a phone!", False),
        ("Line one\nline two?", False),
        ("Is " + "very " * 50 + "long?", False),
        ("?" * 150 + "x", False),
    ],
)
def test_which_questions_are_bare(query: str, bare: bool) -> None:
    assert is_bare_question(episode("e", query)) == bare
    assert not is_bare_question(episode("e", query, ground_truth="A Fairphone."))
