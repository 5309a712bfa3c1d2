"""Batch calibration: what the model says whatever it is asked counts for nothing."""

import pytest

from personaagent.nodes.decision.calibration import calibrated


def test_what_is_said_of_every_question_is_taken_out() -> None:
    batch = [{"a": 0.8, "b": 0.2}, {"a": 0.6, "b": 0.4}]
    assert calibrated({"a": 0.7, "b": 0.3}, batch) == pytest.approx({"a": 0.5, "b": 0.5})
    found = calibrated({"a": 0.6, "b": 0.4}, batch)
    assert found["b"] > found["a"]


def test_without_other_questions_nothing_is_taken_out() -> None:
    assert calibrated({"a": 0.7, "b": 0.3}, []) == {"a": 0.7, "b": 0.3}


def test_a_share_takes_out_a_part() -> None:
    batch = [{"a": 0.8, "b": 0.2}]
    found = calibrated({"a": 0.8, "b": 0.2}, batch, share=0.5)
    assert found == pytest.approx({"a": 2 / 3, "b": 1 / 3})
