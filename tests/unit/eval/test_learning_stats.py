"""What learning cost and gained."""

import pytest

from personaagent.core.alignment import Alignment, Round
from personaagent.eval.learning_stats import learning_stats, losses_of
from tests.support.eval_runs import PUBLISHED, UNPUBLISHED, alignment, pair, training_result


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (PUBLISHED, (0.75, 0.25)),
        (UNPUBLISHED, (0.25, 0.25)),
        (alignment(to_version=2, pairs=[pair("batch", 1, 0.5)]), (1.0, 0.5)),
        (alignment(to_version=2, pairs=[pair("holdout", 1, None)]), None),
        (alignment(rounds=[Round(losses_before={"a": 0.5, "b": 1.0})]), (0.75, 0.75)),
        (alignment(stopped_by="no loss"), (0.0, 0.0)),
        (
            alignment(
                stopped_by="no loss",
                rounds=[Round(losses_before={"a": 0.0}, holdout_before={"b": 0.5})],
            ),
            (0.5, 0.5),
        ),
        (alignment(stopped_by="labels"), None),
        (alignment(mode="paper", to_version=2), None),
    ],
    ids=[
        "published",
        "result_lines",
        "nothing held out",
        "unscored",
        "batch",
        "no loss",
        "none in the batch",
        "few",
        "paper",
    ],
)
def test_losses_of_a_run(run: Alignment, expected: tuple[float, float] | None) -> None:
    assert losses_of(run) == expected


def test_what_gained_nothing_has_no_price_a_point() -> None:
    found = learning_stats([training_result(UNPUBLISHED, 500)])
    assert (found.points, found.tokens_per_point, found.accepted) == (0.0, None, 0.0)
    summarised = learning_stats([training_result(None, 500)])
    assert (summarised.alignments, summarised.accepted, summarised.points) == (0, None, None)
