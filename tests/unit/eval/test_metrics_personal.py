"""Persona-F1 and faithfulness, worked by hand."""

import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from personaagent.eval.metrics.personal import content_words, faithfulness, persona_f1


def test_content_words() -> None:
    assert content_words("The RED boat, and its crew: über-schön!") == {
        "red", "boat", "crew", "über", "schön",
    }  # fmt: skip


def test_no_stop_word_of_scikit_learn_counts() -> None:
    assert content_words(" ".join(ENGLISH_STOP_WORDS)) == set()


@pytest.mark.parametrize(
    ("answer", "own", "expected"),
    [
        ("The red boat sails.", ["A red house"], 2 * 1 / (3 + 2)),
        ("The red boat sails.", ["A red house", "Boat!"], 2 * 1 / (3 + 1)),
        ("Red, red, red boat", ["red boat"], 1.0),
        ("The and a", ["red boat"], 0.0),
        ("Red boat", [], 0.0),
        ("Red boat", ["of the"], 0.0),
    ],
)
def test_persona_f1(answer: str, own: list[str], expected: float) -> None:
    assert persona_f1(answer, own) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The red boat sails.", 2 / 3),
        ("a red, red boat", 1.0),
        ("green", 0.0),
        ("of the", None),
    ],
)
def test_faithfulness(answer: str, expected: float | None) -> None:
    assert faithfulness(answer, ["A red house", "my boat"]) == pytest.approx(expected)
