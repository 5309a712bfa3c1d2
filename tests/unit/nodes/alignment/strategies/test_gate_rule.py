"""The rule of the held-out gate, as a pure function of losses."""

import pytest

from personaagent.core.alignment import Loss
from personaagent.nodes.alignment.strategies.held_out_gate import loss_change, passes

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
        ("worse on the held-out episodes in sum", {"b1": 0.0, "h1": 0.0, "h2": 1.0}, True),
        ("one held-out episode more is lost", {"b1": 0.0, "h1": 0.6, "h2": 0.5}, False),
        ("worse on an earlier batch", {"b1": 0.0, "h1": 0.5, "h2": 0.5, "e1": 0.5}, False),
        ("only one held-out pair", {"b1": 0.0, "h1": 0.0}, False),
        ("a held-out answer is missing now", {"b1": 0.0, "h1": 0.0, "h2": None}, True),
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
