"""Calibration: what a decision states is compared with what the user says."""

from typing import Any

import pytest

from personaagent.core.decision import ClosedQuestion, Decided, Decision
from personaagent.core.records import Episode
from personaagent.scorecard.calibration import Judged, calibration, judged_of, share
from tests.support.memories import episode


def decided(
    answer: str = "drama", text: str = "", probability: Any = 0.8, **fields: Any
) -> Episode:
    """An episode whose answer was decided."""
    kept = {"answer": answer, "text": text, "probability": probability}
    made = episode("e1", "Which genre?", day=1)
    return Episode.model_validate(
        made.model_dump()
        | {"response": answer, "ground_truth": None, "signal": None}
        | {"metadata": {"decision": kept}}
        | fields
    )


def edited(wanted: str) -> dict[str, Any]:
    return {"signal": "edit", "ground_truth": wanted}


@pytest.mark.parametrize(
    ("told", "right"),
    [
        (decided(signal="accept", ground_truth="drama"), True),
        (decided(signal="reject"), False),
        (decided(**edited("comedy")), False),
        (decided(**edited("Drama.")), True),
        (decided("[2]", "the long way", **edited("The long way")), True),
        (decided("4", **edited("4.0")), True),
        (decided(), None),
        (decided(signal="reject", metadata={}), None),
        (decided(signal="reject", probability=7), None),
        (decided(signal="reject", metadata={"decision": "no record"}), None),
    ],
)
def test_a_decision_is_right_if_the_user_says_so(told: Episode, right: bool | None) -> None:
    judged = judged_of(told)
    assert judged == (None if right is None else Judged(0.8, right))


def test_what_is_kept_of_a_decision_says_how_sure_it_was_and_what_its_mark_means() -> None:
    question = ClosedQuestion(kind="options", answers=["A", "B"], texts=["tea", "coffee"])
    decision = Decision(
        question=question, answer="B", probabilities={"A": 0.3, "B": 0.7}, sources=[]
    )
    assert Decided.of(decision) == Decided(answer="B", text="coffee", probability=0.7)


@pytest.mark.parametrize(
    ("stated", "right", "verdict"),
    [(0.8, 16, "fits"), (0.95, 12, "too_sure"), (0.5, 19, "too_unsure")],
)
def test_the_verdict_compares_what_was_stated_with_what_was_right(
    stated: float, right: int, verdict: str
) -> None:
    found = calibration([Judged(stated, place < right) for place in range(20)])
    assert (found.questions, found.verdict) == (20, verdict)
    assert found.right is not None
    assert found.right.mean == right / 20


def test_with_few_questions_nothing_is_certain() -> None:
    assert calibration([]).verdict == calibration([Judged(0.9, False)] * 9).verdict == "unknown"
    assert calibration([Judged(0.9, False)] * 10).verdict == "too_sure"


def test_each_level_of_confidence_has_its_own_share() -> None:
    judged = [Judged(0.4, False), Judged(0.5, True), Judged(0.65, False), Judged(1.0, True)]
    levels = calibration(judged).levels
    assert [(each.least, each.questions, each.right.mean) for each in levels] == [
        (0.0, 1, 0.0),
        (0.5, 2, 0.5),
        (0.9, 1, 1.0),
    ]
    assert levels[1].stated == pytest.approx(0.575)


def test_an_interval_is_wilsons_and_stays_open_where_all_are_right() -> None:
    found = share(8, 10)  # 0.49 to 0.94, as in the tables
    assert (found.low, found.high) == (
        pytest.approx(0.490, abs=1e-3),
        pytest.approx(0.943, abs=1e-3),
    )
    assert share(3, 3).low < 0.5
    assert share(3, 3).high == 1.0
