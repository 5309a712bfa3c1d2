"""The words in which a user reads what was learned, what was not, and what is missing."""

import pytest

from personaagent.core.records import Pair, Rule
from personaagent.core.telling import improvement, labels_missing, learned, refusals
from personaagent.core.weights import Weights


def pairs(*losses: tuple[float | None, float | None]) -> list[Pair]:
    return [
        Pair(episode=f"e{at}", part="batch", before=before, after=after)
        for at, (before, after) in enumerate(losses)
    ]


OLD, NEW = Rule(id="r1", text="Be kind."), Rule(id="r2", text="Answer in Dutch, in one sentence.")


def test_what_was_learned_is_told_as_a_person_would() -> None:
    told = learned([OLD], [OLD, NEW], pairs(*[(1.0, 0.0)] * 8))
    assert told == "Learned: answer in Dutch, in one sentence (8 of your 8 questions got better)."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], [OLD, NEW], "be kind; answer in Dutch, in one sentence"),
        ([OLD], [Rule(id="r1", text="Be\nblunt.")], "be blunt"),
        ([OLD, NEW], [NEW], 'no longer "Be kind."'),
        ([], [Rule(id="r1", text="ISO dates only.")], "ISO dates only"),
        ([], [Rule(id="r1", text="用中文回答。")], "用中文回答"),
        ([OLD], [OLD], "how much your history counts"),
    ],
)
def test_each_change_is_told(before: list[Rule], after: list[Rule], told: str) -> None:
    assert learned(before, after, []) == f"Learned: {told} (not tested)."


def test_weights_are_told_with_their_task() -> None:
    told = learned([OLD], [OLD], [], [Weights(task="tag"), Weights()])
    assert "how much your history counts for tag; how much your history counts (" in told


def test_how_many_questions_got_better_or_worse() -> None:
    assert improvement(pairs((1.0, 0.5))) == "1 of your 1 question got better"
    mixed = pairs((1.0, 0.5), (0.2, 0.2), (0.1, 0.4), (None, 0.1))
    assert improvement(mixed) == "1 of your 3 questions got better, 1 got worse"


def test_refusals_are_one_line_each_named_once() -> None:
    assert refusals([]) == ""
    assert (
        refusals(["add A: no\nname", "add A: no\nname", "add B: old"])
        == "add A: no name; add B: old"
    )
    assert refusals(["a", "b", "c"], 1) == "a (and 2 more)"


def test_how_many_corrections_are_missing() -> None:
    assert labels_missing(3) == "3 corrections more until I learn."
    assert labels_missing(1) == "1 correction more until I learn."
    assert labels_missing(0) == labels_missing(-2) == ""
