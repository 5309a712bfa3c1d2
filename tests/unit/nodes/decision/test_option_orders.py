"""Options in both orders: the same marks over reversed texts, and what both answers say together."""

import pytest

from personaagent.core.decision import ClosedQuestion
from personaagent.nodes.decision.defaults import default_weights
from personaagent.nodes.decision.option_orders import (
    is_settled,
    mean_of_orders,
    reversed_options,
)

QUESTION = ClosedQuestion(kind="options", answers=["A", "B", "C"], texts=["tea", "tea cake", "gin"])
PAIR = ClosedQuestion(kind="options", answers=["[1]", "[2]"], texts=['"Cats"', '"Dogs"'])


def test_the_texts_change_places_and_the_marks_stay() -> None:
    query = "Which drink?\nA) tea\nB) tea cake\nC) gin\n\nAnswer with a letter."
    swapped = "Which drink?\nA) gin\nB) tea cake\nC) tea\n\nAnswer with a letter."
    assert reversed_options(query, QUESTION) == swapped


def test_reversed_twice_is_as_asked() -> None:
    query = 'Which is related? [1]: "Cats" [2]: "Dogs"'
    swapped = reversed_options(query, PAIR)
    assert swapped == 'Which is related? [1]: "Dogs" [2]: "Cats"'
    again = PAIR.model_copy(update={"texts": ['"Dogs"', '"Cats"']})
    assert reversed_options(swapped, again) == query


def test_texts_that_the_query_does_not_hold_are_not_reversed() -> None:
    assert reversed_options("Which one?", PAIR) is None
    assert reversed_options("[1]: Cats", ClosedQuestion(kind="labels", answers=["a", "b"])) is None


def test_a_preference_for_a_place_cancels() -> None:
    found = mean_of_orders(PAIR, {"[1]": 0.9, "[2]": 0.1}, {"[1]": 0.9, "[2]": 0.1})
    assert found == {"[1]": pytest.approx(0.5), "[2]": pytest.approx(0.5)}


def test_what_the_texts_deserve_remains() -> None:
    """The texts deserve 1 : 3, and the first place counts four times."""
    asked = {"[1]": 4 / 7, "[2]": 3 / 7}
    reverse = {"[1]": 12 / 13, "[2]": 1 / 13}
    found = mean_of_orders(PAIR, asked, reverse)
    assert found == {"[1]": pytest.approx(0.25), "[2]": pytest.approx(0.75)}


WEIGHTS = default_weights("options")


def test_a_sure_answer_settles_it_in_one_order() -> None:
    assert is_settled(PAIR, {"[1]": 0.96, "[2]": 0.04}, None, WEIGHTS)
    assert not is_settled(PAIR, {"[1]": 0.6, "[2]": 0.4}, None, WEIGHTS)


@pytest.mark.parametrize(
    ("of_first", "names_weight", "settled"),
    [(0.8, 1.0, True), (0.3, 1.0, False), (0.45, 1.0, False), (0.8, 0.0, False)],
    ids=["names agree", "names disagree", "the model overrules them", "names do not count"],
)
def test_names_that_the_answer_does_not_change_settle_it(
    of_first: float, names_weight: float, settled: bool
) -> None:
    names = {"[1]": of_first, "[2]": 1 - of_first}
    weights = WEIGHTS.model_copy(update={"names": names_weight})
    assert is_settled(PAIR, {"[1]": 0.72, "[2]": 0.28}, names, weights) == settled
