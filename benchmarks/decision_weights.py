"""Weights of the sources for closed questions, fitted on one half of the users and tried on the other."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import log
from statistics import fmean
from typing import Any
from zlib import crc32

from batch_calibration import calibrated
from decision_questions import KINDS
from measurement import Measurement, print_progress

from personaagent.core.decision import ClosedQuestion, Decision
from personaagent.core.weights import Weights
from personaagent.eval.estimate import interval
from personaagent.eval.metrics.calibration import CalibrationError
from personaagent.eval.metrics.protocol import Metric, Outcome
from personaagent.eval.metrics.scores import Mean
from personaagent.memory.label_counts import Label, LabelCounts
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.nodes.decision.defaults import default_weights
from personaagent.nodes.decision.history_votes import history_votes
from personaagent.nodes.decision.name_votes import name_votes
from personaagent.nodes.decision.number_votes import number_votes
from personaagent.nodes.decision.option_orders import mean_of_orders
from personaagent.nodes.decision.weighing import weigh

NEAREST = 20
"""As many labels vote as in ``nodes/agent/question.py``."""
MODEL = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
NAMES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)

Distribution = dict[str, float]
ACCURACY, MAE = Mean("accuracy", "score"), Mean("MAE", "score", higher=False)


@dataclass(frozen=True)
class Case:
    """A question with what each source says of it."""

    task: str
    user: str
    gold: str
    question: ClosedQuestion
    history: Distribution | None
    model: Distribution | None
    names: Distribution | None

    @property
    def half(self) -> int:
        """The half that the user is in."""
        return crc32(self.user.encode()) % 2

    def decide(self, weights: Weights) -> Decision:
        """The decision by these weights; a source without weight says nothing."""
        return weigh(self.question, self.history, self.model, self.names, weights)

    def score(self, decision: Decision) -> float:
        """1 or 0, or the absolute error of a number."""
        if self.question.kind == "numbers":
            return abs(float(decision.answer) - float(self.gold))
        return float(decision.answer == self.gold)


def cases_of(records: Iterable[dict[str, Any]]) -> list[Case]:
    """The records of ``decisions.py`` whose answer could be read."""
    return [_case(record) for record in records if all(record["model"])]


def report(cases: Sequence[Case]) -> list[Measurement]:
    """For each task: each source alone, the defaults, and weights chosen on the other half of users."""
    asked = any(case.model for case in cases)
    pools = {"": cases} | ({", model calibrated": _calibrated(cases)} if asked else {})
    return [
        _measured(f"{task}, {name}{how}", [case for case in pool if case.task == task], halves)
        for task in _tasks(cases)
        for how, pool in pools.items()
        for name, halves in _ways(task, pool).items()
    ]


def _tasks(cases: Sequence[Case]) -> list[str]:
    """The tasks with questions of users of both halves."""
    halves = {(case.task, case.half) for case in cases}
    tasks = dict.fromkeys(case.task for case in cases)
    return [task for task in tasks if {(task, 0), (task, 1)} <= halves]


def _measured(name: str, cases: Sequence[Case], halves: Sequence[Weights]) -> Measurement:
    """The score by the weights of each half; told with its interval and the calibration error."""
    metric: Metric = MAE if cases[0].question.kind == "numbers" else ACCURACY
    outcomes = [_outcome(case, case.decide(halves[case.half])) for case in cases]
    found, error = interval(metric, outcomes), CalibrationError().over(outcomes)
    print_progress(
        f"{name} ({len(cases)}): {metric.name} {found.mean:.3f} [{found.low:.3f}, {found.high:.3f}], "
        f"ECE {error:.3f}"
    )
    return Measurement(f"{name}, {metric.name}", found.mean)


def best_weights(cases: Sequence[Case]) -> Weights:
    """The weights that score best on ``cases``; of equal ones, those that find the truth likeliest."""
    numbers = cases[0].question.kind == "numbers"
    asked = any(case.model for case in cases)
    grid = [
        Weights(history=history, model=model, names=names)
        for history, model, names in product(
            (0.0, 1.0), MODEL if asked else (0.0,), (0.0,) if numbers else NAMES
        )
        if history or model or names
    ]
    return max(grid, key=lambda weights: _quality(cases, weights))


def _quality(cases: Sequence[Case], weights: Weights) -> tuple[float, float]:
    decisions = [(case, case.decide(weights)) for case in cases]
    score = fmean(case.score(decision) for case, decision in decisions)
    likelihood = fmean(log(decision.probabilities.get(c.gold, 1e-6)) for c, decision in decisions)
    return (-score if cases[0].question.kind == "numbers" else score), likelihood


def _ways(task: str, cases: Sequence[Case]) -> dict[str, list[Weights]]:
    """Ways to decide the questions of ``task``: the weights for each half of the users."""
    ours = [case for case in cases if case.task == task]
    kind = ours[0].question.kind
    alike = [case for case in cases if case.question.kind == kind]
    alone = {
        "history": Weights(history=1, model=0, names=0),
        "model": Weights(history=0, model=1, names=0),
        "names": Weights(history=0, model=0, names=1),
    }
    says = {source for source in alone if all(getattr(case, source) for case in ours)}
    fixed = {f"{source} alone": alone[source] for source in alone if source in says}
    fixed["defaults"] = default_weights(kind)
    chosen = {
        "chosen by kind": _chosen(alike, f"all {kind}"),
        "chosen by task": _chosen(ours, task),
    }
    return {
        **{name: [weights, weights] for name, weights in fixed.items()},
        **{f"{name} on the other half": halves[::-1] for name, halves in chosen.items()},
    }


def _chosen(cases: Sequence[Case], name: str) -> list[Weights]:
    """The best weights on each half of the users, and on all, which are told."""
    halves = [best_weights([case for case in cases if case.half == half]) for half in (0, 1)]
    for where, weights in zip(
        ("half 0", "half 1", "all"), [*halves, best_weights(cases)], strict=True
    ):
        shown = {key: getattr(weights, key) for key in ("history", "model", "names")}
        print_progress(f"{name}, best on {where}: {shown}")
    return halves


def _calibrated(cases: Sequence[Case]) -> list[Case]:
    """The cases, the model's part of each calibrated by the other half of the task's users."""
    batches = {
        (case.task, half): [
            each.model
            for each in cases
            if each.task == case.task and each.half != half and each.model
        ]
        for case in cases
        for half in (0, 1)
    }
    return [
        replace(case, model=calibrated(case.model or {}, batches[case.task, case.half]))
        for case in cases
    ]


def _case(record: dict[str, Any]) -> Case:
    kind = KINDS[record["task"]]
    question = ClosedQuestion(
        kind=kind,
        answers=record["answers"],
        texts=record["answers"] if kind == "options" else [],
        task=record["task"],
    )
    return Case(
        task=record["task"],
        user=record["user"],
        gold=record["gold"],
        question=question,
        history=_history(question, record),
        model=_model(question, record["model"]),
        names=None if kind == "numbers" else name_votes(record["names"]),
    )


def _model(question: ClosedQuestion, said: Sequence[Distribution]) -> Distribution | None:
    if not said:
        return None
    return mean_of_orders(question, *said) if question.kind == "options" else said[0]


def _history(question: ClosedQuestion, record: dict[str, Any]) -> Distribution | None:
    if question.kind == "options":
        return None
    labels = [Label(at, str(place), token) for place, (at, token) in enumerate(record["labels"])]
    tokens = Counter(label.token for label in labels)
    counts = LabelCounts(task=question.task, counts=tokens, latest=labels[::-1])
    if question.kind == "numbers":
        return number_votes(question.answers, counts)
    similar = [SimilarLabel("", *each) for each in record["similar"][:NEAREST]]
    return history_votes(question.answers, counts, similar)


def _outcome(case: Case, decision: Decision) -> Outcome:
    scores = {"score": case.score(decision)}
    return Outcome(case.user, case.gold, decision.answer, scores, decision.confidence)
