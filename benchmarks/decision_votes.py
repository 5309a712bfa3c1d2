"""The constants of the votes: which sharpness and which share of the prior suit the labels of a task.

    python benchmarks/decisions.py --answers /tmp/questions.jsonl --no-model --limit 1000
    python benchmarks/decision_votes.py /tmp/questions.jsonl

No model is asked: history and names alone are weighed. For each task of labels, and for all of them,
the best constants on each half of the users, and what they give on the other half.
"""

import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple
from unittest.mock import patch

from decision_questions import KINDS
from decision_weights import Case, cases_of
from decisions import read
from measurement import print_progress

from personaagent.core.weights import Weights
from personaagent.nodes.decision import history_votes
from personaagent.nodes.decision.defaults import PRIOR_VOTES, SHARPNESS, default_weights

HALVES = (0, 1)


class Constants(NamedTuple):
    """h and a of ``history_votes``, and the weight of the names."""

    sharpness: float
    prior_votes: float
    names: float


GRID = [
    Constants(*each)
    for each in product((2.0, 4.0, 6.0, 8.0, 12.0), (0.1, 0.25, 0.5, 1.0, 2.0), (0, 0.5, 1, 1.5))
]
PRESENT = Constants(SHARPNESS, PRIOR_VOTES, default_weights("labels").names)
Scores = dict[Constants, list[list[float]]]


def scores_of(records: Sequence[dict[str, Any]]) -> Scores:
    """By constants and half of the users, the score of each question."""
    scores: Scores = {}
    for constants in [*GRID, PRESENT]:
        weights = Weights(history=1, model=0, names=constants.names)
        cases = _cases(records, constants)
        scores[constants] = [
            [case.score(case.decide(weights)) for case in cases if case.half == half]
            for half in HALVES
        ]
    return scores


def _cases(records: Sequence[dict[str, Any]], constants: Constants) -> list[Case]:
    with patch.multiple(
        history_votes, SHARPNESS=constants.sharpness, PRIOR_VOTES=constants.prior_votes
    ):
        return cases_of(records)


def tell(name: str, scores: Scores) -> None:
    """Print the best constants of each half, and their score on the other."""
    held_out: list[float] = []
    for half in HALVES:
        best = _best(scores, half)
        other = scores[best][1 - half]
        held_out += other
        print_progress(f"{name}, best on half {half}: {best}, on the other {fmean(other):.3f}")
    overall = {constants: fmean([*halves[0], *halves[1]]) for constants, halves in scores.items()}
    for constants in sorted(overall, key=lambda each: -overall[each])[:3]:
        print_progress(f"{name}, best on all: {constants} {overall[constants]:.3f}")
    print_progress(
        f"{name} ({len(held_out)}): chosen on the other half {fmean(held_out):.3f}, "
        f"defaults {overall[PRESENT]:.3f}"
    )


def _best(scores: Scores, half: int) -> Constants:
    return max(scores, key=lambda constants: fmean(scores[constants][half]))


def main() -> None:
    """Tell the constants of each task, and of all of them as one."""
    records = [each for each in read(Path(sys.argv[1])) if KINDS[each["task"]] == "labels"]
    for task in dict.fromkeys(each["task"] for each in records):
        tell(task, scores_of([each for each in records if each["task"] == task]))
    tell("all", scores_of(records))


if __name__ == "__main__":
    main()
