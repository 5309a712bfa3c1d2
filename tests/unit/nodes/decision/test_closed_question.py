"""Closed questions: where the answer comes from a set, and which."""

import pytest

from personaagent.memory.label_counts import LabelCounts
from personaagent.nodes.decision.bare_choice import asks_for_bare_choice
from personaagent.nodes.decision.closed_question import closed_question, is_given


def counts(**times: int) -> LabelCounts:
    return LabelCounts(task="t", counts={key.strip("_"): n for key, n in times.items()}, latest=[])


def answers(query: str, task: str | None = "t", own: LabelCounts | None = None) -> list[str] | None:
    asked = closed_question(query, (), task, own)
    return asked and asked.answers


def test_the_answers_are_the_labels_that_repeat_most_frequent_first() -> None:
    assert answers("Which tag?", own=counts(action=3, comedy=5)) == ["comedy", "action"]


@pytest.mark.parametrize(
    "own",
    [None, counts(comedy=2, action=1), counts(Ann=1, Bob=1, Cid=1, Dan=1, Eve=2)],
    ids=["none", "too few", "that hardly repeat"],
)
def test_labels_do_not_close_a_question(own: LabelCounts | None) -> None:
    assert answers("Which one?", own=own) is None


def test_labels_without_a_task_or_an_instruction_close_no_question() -> None:
    own = counts(comedy=5, action=3)
    assert closed_question("What is love?", (), None, own) is None
    assert closed_question("Tag: Alien", (), None, own, "Tag:") is not None


def test_a_listed_set_is_taken_whole_in_the_users_spelling() -> None:
    query = "Which tag? Tags: [Comedy, Action, Drama] film: Alien"
    assert answers(query, own=counts(comedy=1)) == ["comedy", "Action", "Drama"]


def test_a_listed_set_that_the_users_labels_are_not_of_closes_nothing() -> None:
    assert answers("Sort these: [pears, plums, figs]", own=counts(comedy=1)) is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("How good? Just answer with 1, 2, 3, 4, or 5.", ["1", "2", "3", "4", "5"]),
        ("Just answer with the tag name. Tags: [comedy, drama] film: Alien", ["comedy", "drama"]),
        ("Antworte nur mit einem Wort aus [Bahn, Bus].", ["Bahn", "Bus"]),
        ("How good, on a scale of 1 to 5?", None),
        ("Sort these: [pears, plums, figs]", None),
    ],
)
def test_without_labels_a_list_closes_the_question_that_says_to_answer_with_it(
    query: str, expected: list[str] | None
) -> None:
    assert answers(query) == expected


@pytest.mark.parametrize(
    "query", ["On a scale of 1 to 5?", "1, 2, 3, 4, or 5?", "From 1 to 5:", "Von 1 bis 5?"]
)
def test_a_scale_is_read_from_the_question(query: str) -> None:
    assert answers(query, own=counts(_4=2)) == ["1", "2", "3", "4", "5"]


def test_without_a_scale_the_numbers_between_the_users_own_are_possible() -> None:
    assert answers("How good?", own=counts(_5=3, _2=2)) == ["2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("query", "marks"),
    [
        ('Which is related? Answer [1] or [2]. [1]: "Cats" [2]: "Dogs"', ["[1]", "[2]"]),
        ("Which is it?\nA) tea\nB) coffee\nC) milk", ["A", "B", "C"]),
        ("Which is it? (A) tea (B) coffee", ["A", "B"]),
        ("Translate this list: A) tea B) coffee", None),
        ("As said in [1] and [2], cats purr.", None),
        ("Plan: A. Smith and I meet. What then?", None),
    ],
)
def test_options_are_read_from_a_question_that_asks_to_choose(
    query: str, marks: list[str] | None
) -> None:
    assert answers(query, task=None) == marks


def test_the_callers_answers_win() -> None:
    asked = closed_question("Tag?", ("b", "a"), "t", counts(comedy=5, action=3))
    assert asked is not None
    assert asked.answers == ["b", "a"]
    assert is_given(asked, "Tag?", ("b", "a"))


def test_a_set_of_the_users_labels_is_not_given() -> None:
    asked = closed_question("Tag?", (), "t", counts(comedy=5, action=3))
    assert asked is not None
    assert not is_given(asked, "Tag?", ())
    assert is_given(asked, "Tag? [comedy, action, drama]", ())


@pytest.mark.parametrize(
    ("query", "bare"),
    [
        ("Which tag fits Alien?", True),
        ("Which tag fits Alien? Answer without further explanation.", True),
        ("Which tag fits Alien, and why?", False),
        ("Which tag fits Alien? Explain.", False),
        ("Welches Etikett passt, und warum?", False),
        ("どのタグですか。理由も", False),
    ],
)
def test_a_question_for_more_than_the_choice_is_told_apart(query: str, bare: bool) -> None:
    asked = closed_question(query, (), "t", counts(comedy=5, action=3))
    assert asked is not None
    assert asks_for_bare_choice(query, asked) is bare
