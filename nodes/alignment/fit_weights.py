"""Weights that may serve the user better than those in use, fitted on all of their labels at hand.

That costs no model call: the sources of each decision stay the same, only their weights change.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personaagent.core.decision import ClosedQuestion, Decision, SourceName
from personaagent.core.weights import Weights
from personaagent.nodes.alignment.reweigh import decided_by
from personaagent.nodes.decision.defaults import RECENT, default_weights
from personaagent.nodes.decision.number_votes import step_of
from personaagent.nodes.decision.spelling import AnswerOf

Floats = NDArray[np.float64]

SHRINK = 8.0
"""k: labels that the defaults are worth. Weights from n labels keep ``n / (n + k)`` of the difference."""
FEWEST = 3
"""Labels without which nothing is fitted."""
_HISTORY = (0.0, 0.5, 1.0, 2.0)
_MODEL = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
_NAMES = (0.0, 0.5, 1.0, 2.0)
_OFFSETS = (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5)
"""In steps of the scale."""
_SOURCES: tuple[SourceName, ...] = ("history", "model", "names")


class Example(NamedTuple):
    """A decision by the default weights, and the answer that the user wanted of it.

    The label is not among the votes that the decision counts: it was hidden.
    """

    decision: Decision
    wanted: str


class Fitted(NamedTuple):
    """Weights fitted on all examples, and for each example those fitted on all others.

    What the latter decide of an example proves the fit (leave-one-out): they have not seen its label.
    """

    weights: Weights
    without: list[Weights]


def examples(decisions: Mapping[str, Decision], labels: Mapping[str, str]) -> dict[str, Example]:
    """The examples by episode id, of those whose label is among the answers.

    A label that occurs once is none: without it, history would seem to know nothing. There are none
    where history is worse than chance: of labels that occur equally often the hidden one is then the
    rarest, which says nothing of the next question.
    """
    answers = {id: _wanted(decision, labels.get(id, "")) for id, decision in decisions.items()}
    repeated = {id: Example(decisions[id], wanted) for id, wanted in answers.items() if wanted}
    return {} if _misled_by_hiding([*repeated.values()]) else repeated


def _misled_by_hiding(learned: Sequence[Example]) -> bool:
    """Whether history alone is right less often than chance."""
    votes_and_wanted = [
        (source.probabilities, wanted)
        for decision, wanted in learned
        for source in decision.sources
        if source.name == "history" and decision.question.kind == "labels"
    ]
    right = sum(max(votes, key=votes.__getitem__) == wanted for votes, wanted in votes_and_wanted)
    return right < sum(1 / len(votes) for votes, _ in votes_and_wanted)


def _wanted(decision: Decision, label: str) -> str | None:
    """The answer that the label is, if another label was it too; what simulations of an earlier version
    do not say."""
    wanted = AnswerOf(decision.question.answers).get(label)
    repeats = decision.question.kind != "labels" or wanted in (decision.chosen_before or ())
    return wanted if repeats else None


def fit_weights(learned: Sequence[Example]) -> Fitted | None:
    """The weights under which the wanted answers are most probable, shrunk toward the defaults.

    The mean log probability is searched on a grid; of equals the weights nearest to the defaults.
    None with too few examples.
    """
    if len(learned) < FEWEST:
        return None
    question = learned[0].decision.question
    default = default_weights(question.kind, question.task)
    grid = sorted(_grid(learned, default), key=lambda weights: _distance(weights, default))
    losses = _log_losses(learned, grid)
    total = losses.sum(axis=1)

    def best(sums: Floats, labels: int) -> Weights:
        return shrunk(grid[int(np.argmin(sums.round(9)))], default, labels)

    return Fitted(
        best(total, len(learned)),
        [best(total - losses[:, left_out], len(learned) - 1) for left_out in range(len(learned))],
    )


def shrunk(weights: Weights, default: Weights, labels: int) -> Weights:
    """``default + n / (n + k) (weights - default)``, for n labels; ``weights`` of an offset too."""
    share = labels / (labels + SHRINK)

    def between(name: str) -> float:
        start, end = float(getattr(default, name)), float(getattr(weights, name))
        return round(start + share * (end - start), 3)

    values = {name: between(name) for name in ("history", "model", "names", "offset")}
    return weights.model_copy(update=values | {"labels": labels})


def _grid(learned: Sequence[Example], default: Weights) -> list[Weights]:
    """The weights to try: of sources that say anything, and of what else the examples can show."""
    question = learned[0].decision.question
    has_names = any(s.name == "names" for each in learned for s in each.decision.sources)
    has_recent = any(each.decision.recent_history for each in learned)
    values = product(
        _HISTORY,
        _MODEL,
        _NAMES if has_names else (0.0,),
        (0.0, RECENT) if has_recent else (0.0,),
        _offsets(question),
    )
    names = ("history", "model", "names", "half_life", "offset")
    return [default.model_copy(update=dict(zip(names, each, strict=True))) for each in values]


def _offsets(question: ClosedQuestion) -> list[float]:
    if question.kind != "numbers":
        return [0.0]
    step = step_of(question.answers)
    return [step * offset for offset in _OFFSETS]


def _log_losses(learned: Sequence[Example], grid: Sequence[Weights]) -> Floats:
    """``-log p(wanted)`` by each of the weights (rows) of each example (columns)."""
    factors = np.array([[getattr(weights, name) for name in _SOURCES] for weights in grid])
    rows_of: dict[tuple[float, float], list[int]] = defaultdict(list)
    for row, weights in enumerate(grid):
        rows_of[weights.half_life, weights.offset].append(row)
    losses = np.empty((len(grid), len(learned)))
    for column, (decision, wanted) in enumerate(learned):
        right = decision.question.answers.index(wanted)
        for rows in rows_of.values():
            scores = factors[rows] @ _log_probabilities(decision, grid[rows[0]])
            losses[rows, column] = np.logaddexp.reduce(scores, axis=1) - scores[:, right]
    return losses


def _log_probabilities(decision: Decision, weights: Weights) -> Floats:
    """What each source says of each answer (rows: ``_SOURCES``), by the half-life and the offset of
    ``weights``; 0 for a source that says nothing."""
    says = {each.name: each.probabilities for each in decided_by(decision, weights).sources}
    answers = decision.question.answers
    silent = dict.fromkeys(answers, 1.0)
    return np.log([[says.get(name, silent)[y] for y in answers] for name in _SOURCES])


def _distance(one: Weights, other: Weights) -> float:
    differences = (
        one.history - other.history,
        one.model - other.model,
        one.names - other.names,
        one.offset - other.offset,
    )
    return sum(map(abs, differences)) + (one.half_life != other.half_life)
