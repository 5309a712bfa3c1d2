"""The rule of the held-out gate, as a pure function of losses."""

import random

import pytest

from personaagent.core.alignment import Loss
from personaagent.nodes.alignment.strategies.gate_rule import (
    loss_change,
    passes,
    passes_on_all,
    surely_better,
)

BATCH, HOLDOUT, EARLIER = ["b1", "b2"], ["h1", "h2"], ["e1"]


def losses(**values: float | None) -> dict[str, Loss]:
    """Losses by episode id; None is unscored."""
    return {
        episode_id: Loss(
            episode=episode_id,
            metric="label",
            score=None if loss is None else 1 - loss,
            expected="yes",
            simulated="no",
        )
        for episode_id, loss in values.items()
    }


BEFORE = losses(b1=1.0, b2=0.5, h1=0.5, h2=0.5, e1=0.0)


def decide(before: dict[str, Loss] = BEFORE, **after: float | None) -> bool:
    return passes(before, losses(**after), batch=BATCH, holdout=HOLDOUT, earlier_batches=EARLIER)


@pytest.mark.parametrize(
    ("reason", "after", "accepted"),
    [
        ("better on the batch, equal elsewhere", {"b1": 0.0, "h1": 0.5, "h2": 0.5}, True),
        ("no better on the batch", {"b1": 1.0, "h1": 0.0, "h2": 0.0}, False),
        (
            "one held-out episode better, one worse",
            {"b1": 0.0, "b2": 0.0, "h1": 0.0, "h2": 1.0},
            True,
        ),
        ("the same, and the gain may be chance", {"b1": 0.0, "h1": 0.0, "h2": 1.0}, False),
        ("one held-out episode more is lost", {"b1": 0.0, "h1": 0.6, "h2": 0.5}, False),
        ("worse on an earlier batch", {"b1": 0.0, "h1": 0.5, "h2": 0.5, "e1": 0.5}, False),
        ("only one held-out pair", {"b1": 0.0, "h1": 0.0}, False),
        ("a held-out answer is missing now", {"b1": 0.0, "b2": 0.0, "h1": 0.0, "h2": None}, True),
        ("two held-out answers are missing now", {"b1": 0.0, "h1": None, "h2": None}, False),
    ],
)
def test_a_candidate_passes_if_it_is_better_on_its_batch_and_not_worse_elsewhere(
    reason: str, after: dict[str, float | None], accepted: bool
) -> None:
    assert decide(**({"b2": 0.5, "e1": 0.0} | after)) == accepted, reason


def test_an_episode_that_was_unscored_before_makes_no_pair() -> None:
    unscored = BEFORE | losses(h1=None)
    assert loss_change(unscored, losses(h1=0.0, h2=0.25), HOLDOUT) == -0.25
    assert not decide(unscored, b1=0.0, b2=0.0, h1=0.0, h2=0.0, e1=0.0)


def test_rounding_errors_are_no_difference() -> None:
    before = losses(b1=0.1 + 0.2, b2=0.5, h1=0.3, h2=0.5, e1=0.0)
    assert not decide(before, b1=0.3, b2=0.5, h1=0.3, h2=0.5, e1=0.0)
    assert decide(before, b1=0.0, b2=0.5, h1=0.1 + 0.2, h2=0.5, e1=0.0)


def gains(labels: int, better: int, worse: int = 0) -> tuple[dict[str, Loss], dict[str, Loss]]:
    """So many labels, of which some were wrong and are right after, and some the other way round."""
    ids = [f"e{number}" for number in range(labels)]
    before = {id: 1.0 if n < better else 0.0 for n, id in enumerate(ids)}
    after = {id: 1.0 if better <= n < better + worse else 0.0 for n, id in enumerate(ids)}
    return losses(**before), losses(**after)


@pytest.mark.parametrize(
    ("labels", "better", "worse", "rivals", "sure"),
    [
        (8, 1, 0, 1, False),
        (8, 2, 0, 1, True),
        (8, 3, 1, 1, False),
        (8, 5, 1, 1, True),
        (8, 2, 0, 4, False),
        (100, 3, 2, 1, False),
        (100, 6, 2, 1, True),
        (100, 6, 2, 16, False),
        (100, 0, 0, 1, False),
        (0, 0, 0, 1, False),
    ],
)
def test_with_few_labels_the_gain_must_be_much_with_many_a_little(
    labels: int, better: int, worse: int, rivals: int, sure: bool
) -> None:
    before, after = gains(labels, better, worse)
    assert surely_better(before, after, before, rivals) == sure


def test_chance_rarely_passes() -> None:
    """Candidates that change answers at random are no better, and few seem so."""
    chance = random.Random(7)
    seeming = 0
    for _ in range(400):
        before = losses(**{f"e{n}": chance.choice([0.0, 1.0]) for n in range(16)})
        after = losses(**{f"e{n}": chance.choice([0.0, 1.0]) for n in range(16)})
        seeming += surely_better(before, after, before, rivals=4)
    assert seeming < 0.06 * 400


@pytest.mark.parametrize(("labels", "accepted"), [(7, False), (8, True)])
def test_weights_are_proved_on_all_labels_of_which_there_must_be_eight(
    labels: int, accepted: bool
) -> None:
    before, after = gains(labels, better=2)
    ids = [*before]
    sets = {"batch": ids[2:4], "holdout": ids[4:], "earlier_batches": ids[:2]}
    assert passes_on_all(before, after, **sets) == accepted
    assert not passes_on_all(before, before, **sets)
