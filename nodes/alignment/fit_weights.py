"""Weights that may serve the user better than those in use: fitted on their labels, and steps away.

Both cost no model call: the sources of each decision stay the same, only their weights change.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from math import log
from statistics import fmean
from typing import NamedTuple

from personaagent.core.decision import Decision
from personaagent.core.weights import Weights
from personaagent.nodes.alignment.reweigh import decided_by
from personaagent.nodes.decision.defaults import RECENT, default_weights
from personaagent.nodes.decision.number_votes import median_of
from personaagent.nodes.decision.spelling import AnswerOf

SHRINK = 8.0
"""k: labels that the defaults are worth. Weights from n labels keep ``n / (n + k)`` of the difference."""
FEWEST = 2
"""Labels without which nothing is fitted."""
LEAST_PROBABILITY = 1e-6
_HISTORY = (0.0, 0.5, 1.0, 2.0)
_MODEL = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
_NAMES = (0.0, 0.5, 1.0, 2.0)


class Example(NamedTuple):
    """A decision by the default weights, and the answer that the user wanted of it.

    The label is not among the votes that the decision counts: it was hidden (leave-one-out).
    """

    decision: Decision
    wanted: str


def examples(
    decisions: Mapping[str, Decision], labels: Mapping[str, str], episode_ids: Sequence[str]
) -> list[Example]:
    """The examples of these episodes; of those whose label is among the answers."""
    pairs = [
        (decisions[id], AnswerOf(decisions[id].question.answers).get(labels[id]))
        for id in episode_ids
        if id in decisions and id in labels
    ]
    return [Example(decision, wanted) for decision, wanted in pairs if wanted is not None]


def fit_weights(learned: Sequence[Example]) -> Weights | None:
    """The weights under which the wanted answers are most probable, shrunk toward the defaults.

    The mean log probability is searched on a grid; of equals the weights nearest to the defaults.
    None with too few examples.
    """
    if len(learned) < FEWEST:
        return None
    question = learned[0].decision.question
    default = default_weights(question.kind, question.task)
    start = default.model_copy(update={"offset": _offset(learned)})
    grid = product(_HISTORY, _MODEL, _names(learned), _half_lives(learned))
    tried = [_weighing(start, *values) for values in grid]
    best = min(tried, key=lambda w: (round(_log_loss(learned, w), 9), _distance(w, default)))
    return shrunk(best, default, len(learned))


def shrunk(weights: Weights, default: Weights, labels: int) -> Weights:
    """``default + n / (n + k) (weights - default)``, for n labels; ``weights`` of an offset too."""
    share = labels / (labels + SHRINK)

    def between(name: str) -> float:
        start, end = float(getattr(default, name)), float(getattr(weights, name))
        return round(start + share * (end - start), 3)

    values = {name: between(name) for name in ("history", "model", "names", "offset")}
    return weights.model_copy(update=values | {"labels": labels})


def steps_from(
    base: Weights, labels: int, *, has_names: bool, has_recent: bool = False
) -> list[Weights]:
    """Weights a step away from ``base``: more or less of the model, and the names of the answers; and
    recent labels counting more, or all the same.

    The steps know no label, so every label may prove them. With few labels they are short.
    """
    steps: list[dict[str, float]] = [
        {"model": min(10.0, 2 * base.model or 1.0)},
        {"model": base.model / 2},
    ]
    if has_names:
        steps += [{"names": base.names + 1.0}, {"names": base.names / 2}]
    if has_recent:
        steps += [{"half_life": 0.0 if base.half_life else RECENT}]
    moved = (base.model_copy(update=step) for step in steps)
    return [each for each in (shrunk(one, base, labels) for one in moved) if each != base]


def _weighing(
    start: Weights, history: float, model: float, names: float, half_life: float
) -> Weights:
    return start.model_copy(
        update={"history": history, "model": model, "names": names, "half_life": half_life}
    )


def _half_lives(learned: Sequence[Example]) -> tuple[float, ...]:
    """The half-lives to try; simulations of an earlier version noted no recent history."""
    return (0.0, RECENT) if any(each.decision.recent_history for each in learned) else (0.0,)


def _names(learned: Sequence[Example]) -> tuple[float, ...]:
    """The weights of names to try; where no decision has any, they stay at 0."""
    return _NAMES if any(_says(each.decision, "names") for each in learned) else (0.0,)


def _log_loss(learned: Sequence[Example], weights: Weights) -> float:
    decided = ((decided_by(each.decision, weights), each.wanted) for each in learned)
    return fmean(-log(max(each.probabilities[y], LEAST_PROBABILITY)) for each, y in decided)


def _distance(one: Weights, other: Weights) -> float:
    differences = (one.history - other.history, one.model - other.model, one.names - other.names)
    return sum(map(abs, differences)) + (one.half_life != other.half_life)


def _offset(learned: Sequence[Example]) -> float:
    """How far the user is above the model's median, on average; 0 unless the answers are numbers."""
    if learned[0].decision.question.kind != "numbers":
        return 0.0
    said = [(_says(each.decision, "model"), each.wanted) for each in learned]
    differences = [float(wanted) - float(median_of(model)) for model, wanted in said if model]
    return fmean(differences) if differences else 0.0


def _says(decision: Decision, name: str) -> dict[str, float] | None:
    return next((each.probabilities for each in decision.sources if each.name == name), None)
