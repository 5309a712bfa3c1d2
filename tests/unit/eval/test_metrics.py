"""Metrics against scikit-learn, intervals and p-values against SciPy, and cases worked by hand."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, root_mean_squared_error

from personaagent.eval.estimate import compare, interval
from personaagent.eval.metrics.calibration import CalibrationError
from personaagent.eval.metrics.protocol import Metric, Outcome
from personaagent.eval.metrics.scores import MacroF1, Mean, RootMeanSquare

LABELS = ("comedy", "action", "drama")
ACCURACY = Mean("accuracy", "correct")


def outcome(user: str, gold: str = "", read: str | None = None, **scores: float) -> Outcome:
    return Outcome(user, gold, read, scores)


def sure(confidence: float, right: bool) -> Outcome:
    return Outcome("ann", "yes", "yes" if right else "no", {}, confidence)


def answered(seed: int, users: int, skill: float) -> list[Outcome]:
    """One to three answers a user: right with a chance of ``skill``, else anything or unreadable."""
    chance = np.random.default_rng(seed)
    found = []
    for user in range(users):
        for _ in range(user % 3 + 1):
            gold = str(chance.choice(LABELS))
            guess = chance.choice([*LABELS, "none"])
            read = gold if chance.random() < skill else None if guess == "none" else str(guess)
            found.append(outcome(f"u{user}", gold, read, correct=float(read == gold)))
    return found


def test_macro_f1_is_that_of_scikit_learn() -> None:
    outcomes = answered(1, 40, 0.5)
    golds, reads = [o.gold for o in outcomes], [o.read or "unknown" for o in outcomes]
    expected = f1_score(golds, reads, labels=LABELS, average="macro", zero_division=0)
    assert MacroF1(LABELS).over(outcomes) == pytest.approx(expected)
    with_unused = (*LABELS, "western")
    assert MacroF1(with_unused).over(outcomes) == pytest.approx(expected * 3 / 4)


def test_macro_f1_by_hand() -> None:
    outcomes = [
        outcome("ann", "comedy", "comedy"),
        outcome("ann", "comedy", "action"),
        outcome("bob", "action", None),
    ]
    assert MacroF1(("comedy", "action")).over(outcomes) == (2 / 3 + 0) / 2


def test_root_mean_square_is_that_of_scikit_learn() -> None:
    errors = [0.0, 1.0, -3.0, 2.0]
    outcomes = [outcome("ann", error=error) for error in errors]
    expected = root_mean_squared_error([0] * 4, errors)
    assert RootMeanSquare("RMSE", "error").over(outcomes) == pytest.approx(expected) == sqrt(3.5)


def test_an_answer_without_the_score_is_left_out() -> None:
    outcomes = [outcome("ann", f1=0.5), outcome("ann"), outcome("bob", f1=1.0)]
    assert Mean("F1", "f1").over(outcomes) == 0.75
    none = interval(Mean("F1", "f1"), [outcome("ann"), outcome("bob")])
    assert np.isnan([none.mean, none.low, none.high]).all()


def test_calibration_error_by_hand() -> None:
    """Two answers of 0.8, both right: 0.2 too careful. Two of 0.6, one right: 0.1 too sure."""
    outcomes = [sure(0.8, True), sure(0.8, True), sure(0.6, True), sure(0.6, False)]
    assert CalibrationError().over(outcomes) == pytest.approx((2 * 0.2 + 2 * 0.1) / 4)
    assert CalibrationError().over([*outcomes, outcome("ann", "a", "a")]) == pytest.approx(0.15)


def test_calibration_error_is_that_of_its_formula() -> None:
    chance = np.random.default_rng(4)
    confidences = chance.random(500)
    right = chance.random(500) < confidences**2
    outcomes = [sure(c, r) for c, r in zip(confidences, right, strict=True)]
    edges = np.linspace(0, 1, 11)
    expected = 0.0
    for low, high in pairwise(edges):
        inside = (confidences > low) & (confidences <= high)
        gap = abs(right[inside].mean() - confidences[inside].mean())
        expected += inside.sum() / 500 * gap
    assert CalibrationError().over(outcomes) == pytest.approx(expected)


def test_a_confidence_of_0_or_1_has_a_bin() -> None:
    assert CalibrationError().over([sure(1.0, True), sure(0.0, False)]) == 0
    assert CalibrationError().over([sure(1.0, False), sure(0.0, True)]) == 1


def test_no_confidence_no_calibration_error() -> None:
    assert np.isnan(CalibrationError().over([outcome("ann", "a", "a")]))


def test_interval_draws_whole_users() -> None:
    """Two users, one always right and one always wrong: a draw is 0, 1/2 or 1, however many answers."""
    outcomes = [outcome("ann", correct=1.0)] * 50 + [outcome("bob", correct=0.0)] * 50
    assert interval(ACCURACY, outcomes).stored() == {"mean": 0.5, "low": 0.0, "high": 1.0}
    alone = [outcome(f"u{n}", correct=float(n % 2)) for n in range(100)]
    found = interval(ACCURACY, alone)
    assert found.mean == 0.5
    assert 0.38 < found.low < 0.42
    assert 0.58 < found.high < 0.62


@pytest.mark.parametrize("metric", [ACCURACY, MacroF1(LABELS)])
def test_interval_is_that_of_scipy(metric: Metric) -> None:
    outcomes = answered(2, 60, 0.6)
    users = sorted({each.user_id for each in outcomes})

    def of_users(drawn: Sequence[int]) -> float:
        return metric.over([o for u in drawn for o in outcomes if o.user_id == users[u]])

    expected = stats.bootstrap(
        (range(len(users)),),
        of_users,
        vectorized=False,
        n_resamples=400,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    found = interval(metric, outcomes)
    assert found.mean == pytest.approx(metric.over(outcomes))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_p_of_means_is_that_of_scipy() -> None:
    ours = [outcome(f"u{n}", correct=float(n % 4 > 0)) for n in range(40)]
    theirs = [outcome(f"u{n}", correct=float(n % 2)) for n in range(40)]
    differences = [
        a.scores["correct"] - b.scores["correct"] for a, b in zip(ours, theirs, strict=True)
    ]
    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", rng=np.random.default_rng(0)
    )
    found = compare(ACCURACY, ours, theirs)
    assert found.mean == 0.25
    assert found.p == pytest.approx(2 / 2**10, abs=1e-3)
    assert expected.pvalue == pytest.approx(2 / 2**10, abs=1e-3)
    back = compare(ACCURACY, theirs, ours)
    assert (back.mean, back.low, back.high) == (-0.25, -found.high, -found.low)


def test_p_of_macro_f1_is_that_of_scipy() -> None:
    ours, theirs = answered(3, 30, 0.65), answered(3, 30, 0.5)
    metric = MacroF1(LABELS)
    users = sorted({each.user_id for each in ours})
    by_side = [{u: [o for o in side if o.user_id == u] for u in users} for side in (ours, theirs)]

    def difference(first: Sequence[int], second: Sequence[int]) -> float:
        """Of (side, user) numbered ``side * users + user``."""
        one, other = (
            metric.over([o for n in side for o in by_side[n // len(users)][users[n % len(users)]]])
            for side in (first, second)
        )
        return one - other

    expected = stats.permutation_test(
        (np.arange(len(users)), np.arange(len(users)) + len(users)),
        difference,
        permutation_type="samples",
        vectorized=False,
        n_resamples=400,
        rng=np.random.default_rng(0),
    )
    found = compare(metric, ours, theirs)
    assert found.mean == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, abs=0.07)


def test_only_users_of_both_are_compared() -> None:
    ours = [outcome("ann", correct=1.0), outcome("bob", correct=1.0)]
    theirs = [outcome("ann", correct=1.0), outcome("cai", correct=0.0)]
    assert compare(ACCURACY, ours, theirs).stored() == {"mean": 0, "low": 0, "high": 0, "p": 1}
    with pytest.raises(ValueError, match="no user"):
        compare(ACCURACY, ours[1:], theirs)


def test_more_users_than_a_block_holds() -> None:
    """The figures do not depend on how the draws are cut into blocks."""
    outcomes = [outcome(f"u{n}", correct=float(n % 5 == 0)) for n in range(3000)]
    found = interval(ACCURACY, outcomes)
    spread = 1.96 * sqrt(0.2 * 0.8 / 3000)
    assert (found.low, found.high) == pytest.approx((0.2 - spread, 0.2 + spread), abs=1e-3)
