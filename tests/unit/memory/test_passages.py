"""Passages: which stretches of a text can be found by themselves."""

from itertools import pairwise

import pytest

from personaagent.memory.passages import ANSWER_WINDOW, MOST, WHOLE, WINDOW, passages, spans
from tests.support.memories import episode

FILLER = "I worked on a project about bridges and measured loads with care. "


def test_a_short_episode_is_one_passage_of_its_query() -> None:
    assert passages(episode("e1", "Where is the key?", response="In the drawer.")) == [
        ("query", 0, 17, "Where is the key?", "Where is the key?")
    ]


def test_what_stands_in_the_middle_or_late_has_a_passage_of_its_own() -> None:
    query = FILLER * 40 + "My locker is 4417. " + FILLER * 40
    response = FILLER * 30 + "The ferry leaves at 07:35."
    found = passages(episode("e1", query, response=response))
    for part, fact, text in (("query", "4417", query), ("response", "07:35", response)):
        holding = [each for each in found if each[0] == part and fact in each[3]]
        assert holding
        for _, start, end, passage, _ in holding:
            assert text[start:end] == passage
            assert len(passage) <= (WINDOW if part == "query" else ANSWER_WINDOW)
            assert passage.startswith(("I worked", "My locker", "The ferry")), "cut at sentences"


@pytest.mark.parametrize(
    "text",
    [
        FILLER * 20,
        "word " * 1000,
        "x" * 5000,
        "一二三四五六七八九十。" * 100,
        "line\n\n" * 300,
        "No end? Yes! " * 2000,
        FILLER * 500,
        "a" * 32_000,
        "? " * 900,
    ],
)
def test_passages_cover_the_whole_text_and_are_bounded_in_number(text: str) -> None:
    found = spans(text)
    assert found[0][0] == 0
    assert found[-1][1] == len(text)
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(found))
    assert all(later[0] > earlier[0] for earlier, later in pairwise(found))
    assert 1 < len(found) <= MOST


def test_neighbouring_passages_share_a_sentence() -> None:
    text = "".join(f"This is the sentence with the number {n}. " for n in range(60))
    assert all(later[0] < earlier[1] for earlier, later in pairwise(spans(text)))


def test_a_script_without_spaces_is_cut_into_shorter_passages() -> None:
    text = "我每周三晚上练习小提琴。" * 40
    assert len(text) < WHOLE
    assert all(end - start <= WINDOW // 3 for start, end in spans(text))


def test_of_a_shared_instruction_only_the_words_count() -> None:
    query = "Which tag suits this film? A robot finds love."
    [short] = passages(episode("e1", query, response=""), (27, len(query)))
    assert short == ("query", 0, len(query), "A robot finds love.", query)
    query = "Sum this up: " + FILLER * 30 + "In one sentence."
    found = passages(episode("e1", query, response=""), (13, len(query) - 16))
    assert all(query[start:end] == embedded for _, start, end, embedded, _ in found)
    assert not any("Sum" in each.embedded or "sentence" in each.embedded for each in found)
    assert found[0].matched == "Sum this up: " + found[0].embedded
    assert found[-1].matched == found[-1].embedded + "In one sentence."
