"""Exact metrics: labels, numbers, and the overlap of texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personaagent.memory.kinds import TaskKind
from personaagent.nodes.alignment.metrics import (
    exact,
    label_score,
    metric_of,
    number_score,
    rouge_score,
)

TAGS = ["comedy", "dark comedy", "sci-fi", "Food & Drink", "fiction", "[1]", "[2]", "C", "C#"]
LABELS = TaskKind("labels", TAGS)
STARS = TaskKind("numbers", ["5", "1"], lowest=1, highest=5)
TEXT = TaskKind("text", [])


def test_the_metric_of_a_task() -> None:
    kinds = {"tag": LABELS, None: STARS, "mail": TEXT}
    assert metric_of("tag", kinds, "judge") == "label"
    assert metric_of(None, kinds, "judge") == "number"
    assert metric_of("mail", kinds, "judge") == "judge"
    assert metric_of("unheard of", kinds, "rouge") == "rouge"


@pytest.mark.parametrize(
    ("simulated", "expected", "score"),
    [
        ("comedy", "comedy", 1),
        (" “Comedy.” ", "comedy", 1),
        ("Ｃｏｍｅｄｙ", "comedy", 1),
        ("**sci-fi**", "Sci-Fi", 1),
        ("Tag: comedy", "comedy", 1),
        ("Answer: [2].", "[2]", 1),
        ("I would say it is a comedy!", "comedy", 1),
        ("The tag is food & drink", "Food & Drink", 1),
        ("- dark comedy", "dark comedy", 1),
        ("dark comedy", "comedy", 0),
        ("comedy", "dark comedy", 0),
        ("Comedy or dark comedy?", "comedy", 0),
        ("comedy, fiction", "comedy", 0),
        ("non-fiction", "fiction", 0),
        ("comedyesque", "comedy", 0),
        ("C#", "C", 0),
        ("never seen", "comedy", 0),
        ("It has a bit of everything that one could want of a good comedy film", "comedy", 0),
        ("never seen", "never seen", 1),
        ("👍", "👍", 1),
        ("👍", "👎", 0),
        ("?", "?", 1),
        ("comedy", " ", None),
    ],
)
def test_labels(simulated: str, expected: str, score: float | None) -> None:
    assert label_score(simulated, expected, TAGS)[0] == score


@pytest.mark.parametrize(
    ("simulated", "expected", "score"),
    [
        ("5", "5", 1),
        ("4", "5", 0.75),
        ("**4** out of 5 stars", "5", 0.75),
        ("Score: 3.", "5", 0.5),
        ("score-4", "5", 0.75),
        ("3,5", "5", 0.625),
        ("-1", "5", 0),
        ("−1", "1", 0.5),
        ("99", "5", 0),
        ("five", "5", 0),
        ("", "5", 0),
        ("4", "five", None),
        ("1,250.5", "1250.5", 1),
        ("1250", "1e3", pytest.approx(1 - 250 / 999)),
        ("9" * 400, "5", 0),
        ("nan", "5", 0),
        ("1e308", "-1e308", 0),
    ],
)
def test_numbers(simulated: str, expected: str, score: float | None) -> None:
    assert number_score(simulated, expected, 1, 5)[0] == score


def test_the_range_of_numbers() -> None:
    assert number_score("2", "4", 4, 4)[0] == 0, "a user who always said the same: range 1"
    assert number_score("3.5", "4", 4, 4)[0] == 0.5
    assert number_score("2", "12", 1, 5)[0] == pytest.approx(1 - 10 / 11), "expected widens it"
    assert number_score("1", "1e308", -1e308, 5)[0] is None, "no range to reckon with"


@pytest.mark.parametrize(
    ("simulated", "expected", "score"),
    [
        ("The cat sat.", "the CAT sat", 1),
        ("the cat", "the cat sat down", 2 / 3),
        ("sat cat the", "the cat sat", 1 / 3),
        ("Grüße aus Köln", "Grüße aus Köln", 1),
        ("Grüße aus Köln", "Gruß an Kiel", 0),
        ("спасибо за книгу", "спасибо за письмо", 2 / 3),
        ("...", "the cat", 0),
        ("the cat", "...", None),
    ],
)
def test_the_overlap_of_texts(simulated: str, expected: str, score: float | None) -> None:
    found, why = rouge_score(simulated, expected)
    assert found == (None if score is None else pytest.approx(score))
    assert why


def test_only_so_many_words_are_compared() -> None:
    assert rouge_score("new " * 1000 + "old " * 9000, "new " * 1000)[0] == 1


def test_by_metric() -> None:
    assert exact("label", "Tag: comedy", "comedy", LABELS)[0] == 1
    assert exact("number", "4", "5", STARS)[0] == 0.75
    assert exact("rouge", "the cat", "the cat", None)[0] == 1
    for nothing in (None, "", " \n"):
        assert exact("label", nothing, "comedy", LABELS) == (None, "nothing was simulated")
    with pytest.raises(ValueError, match="judge"):
        exact("judge", "one", "two", TEXT)
    with pytest.raises(ValueError, match="label"):
        exact("label", "one", "two", None)


short_texts = st.text(max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    short_texts | numbers.map(str),
    short_texts | numbers.map(str),
    st.lists(short_texts, max_size=5),
    numbers,
    numbers,
)
def test_every_score_is_a_share_and_the_same_text_is_right(
    simulated: str, expected: str, labels: list[str], one: float, other: float
) -> None:
    kind = TaskKind("labels", labels, min(one, other), max(one, other))
    for metric in ("label", "number", "rouge"):
        score, why = exact(metric, simulated, expected, kind)
        assert score is None or 0 <= score <= 1
        assert why
        assert exact(metric, expected, expected, kind)[0] in (1, None)
