"""Exact scores of answers: labels, numbers and texts, in any script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from personaagent.nodes.alignment.answer_scores import (
    label_score,
    number_score,
    rouge_score,
    said_label,
)

ROUGE_L = Path(__file__).parents[3] / "fixtures" / "rouge_l.json"
"""Pairs of texts with the scores that rouge-score 0.1.2 gave, with our tokenizer."""

LABELS = ["comedy", "dark comedy", "drama"]


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("comedy", 1.0),
        ("Tag: Comedy.", 1.0),
        ("dark comedy", 0.0),
        ("comedy or drama", 0.0),
        ("drama", 0.0),
        ("It is a film about a man who thinks that all comedy is sad", 0.0),
    ],
)
def test_a_label_counts_if_the_answer_names_it_and_no_other(answer: str, score: float) -> None:
    assert label_score(answer, "comedy", LABELS)[0] == score


@pytest.mark.parametrize(
    ("answer", "label"), [("“Drama”!", "drama"), ("drama, comedy", None), ("a western", None)]
)
def test_the_label_that_an_answer_names_is_found(answer: str, label: str | None) -> None:
    assert said_label(answer, LABELS) == label


@pytest.mark.parametrize(
    ("answer", "expected", "score"),
    [("4", "4", 1.0), ("I say 3 of 5", "4", 0.75), ("none", "4", 0.0), ("3,5", "3.5", 1.0)],
)
def test_a_number_is_scored_by_its_distance_in_the_users_range(
    answer: str, expected: str, score: float
) -> None:
    assert number_score(answer, expected, 1, 5)[0] == score


@pytest.mark.parametrize("number", ["many", "nan", ""])
def test_an_expected_number_that_cannot_be_read_leaves_the_answer_unscored(number: str) -> None:
    assert number_score("4", number, 1, 5)[0] is None


def test_scores_are_those_of_googles_rouge_score() -> None:
    for answer, expected, score in json.loads(ROUGE_L.read_text("utf-8")):
        assert rouge_score(answer, expected)[0] == score


def test_comparing_texts_imports_no_library_of_languages() -> None:
    code = (
        "import sys; from personaagent.nodes.alignment.answer_scores import rouge_score;"
        "assert rouge_score('a b', 'a b')[0] == 1.0;"
        "sys.exit(bool({'nltk', 'scipy', 'rouge_score'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_texts_are_compared_by_their_words_in_any_script() -> None:
    assert rouge_score("Добрый день", "добрый ДЕНЬ!")[0] == 1.0
    assert rouge_score("a b", "c d")[0] == 0.0
    assert rouge_score("a b", "?!")[0] is None
