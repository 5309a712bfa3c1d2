"""One solver on one task: its metrics, how certain they are, and what the answers cost."""

from collections.abc import Sequence
from math import isnan
from statistics import fmean
from typing import Any

from personaagent.core.records import Record, RoleUsage, Usage
from personaagent.eval.estimate import Difference, compare, interval
from personaagent.eval.learning_stats import LearningStats, learning_stats
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.prices import Prices
from personaagent.eval.result_index import IndexedResult, SolverResults, answered_by_both
from personaagent.eval.results import TrainingRecord
from personaagent.eval.tasks.protocol import Task
from personaagent.scorecard.estimate import Estimate


class SolverDifference(Record):
    """One solver less another, on the queries that both answered."""

    questions: int
    metrics: dict[str, Difference]


class SolverSummary(Record):
    """One solver on one task.

    Args:
        answered, failed: how many queries have an answer, and how many have none.
        against: the differences to other solvers, by name.
        no_answer: the share of queries to which the solver has no answer, because the user's history
            suggests none. They count as wrong.
        unparsable: the share of the other answers that could not be read; None where there is none.
        agreement: the share of answers that stayed the same with the options in the opposite order;
            None if the queries have no options.
        seconds, usage, price, judge: means of one query; learning is not included, and judging only
            in ``judge``. ``price`` is None if it is unknown.
        learning: what the solver learned before its queries, if it learned.
    """

    answered: int
    failed: int
    metrics: dict[str, Estimate]
    against: dict[str, SolverDifference]
    no_answer: float | None
    unparsable: float | None
    agreement: float | None
    seconds: float | None
    usage: dict[str, Any]
    price: float | None
    judge: dict[str, Any]
    learning: LearningStats | None


def summarise_solver(
    task: Task,
    results: Sequence[IndexedResult],
    training: Sequence[TrainingRecord],
    against: dict[str, SolverDifference],
    prices: Prices,
    models: dict[str, str],
) -> SolverSummary:
    """Summarise the results of one solver on one task; ``models`` are names by role."""
    answered = [result for result in results if not result.failed]
    usage = sum((result.usage for result in answered), Usage())
    judge_usage = sum((result.judge_usage for result in answered), Usage())
    return SolverSummary(
        answered=len(answered),
        failed=len(results) - len(answered),
        metrics=_estimates(task.metrics, answered),
        against=against,
        no_answer=_mean([result.silent for result in answered]) if task.answers else None,
        unparsable=_unparsable(answered) if task.answers else None,
        agreement=_mean([result.agrees for result in answered if result.agrees is not None]),
        seconds=_mean([result.seconds for result in answered]),
        usage=_per_query(usage, len(answered)),
        price=_price_per_query(prices.of(usage, models), len(answered)),
        judge=_per_query(judge_usage, len(answered)),
        learning=learning_stats([record.learned for record in training]) if training else None,
    )


def compare_solvers(
    metrics: Sequence[Metric], ours: SolverResults, theirs: SolverResults
) -> SolverDifference:
    """Ours less theirs, on the queries that both answered."""
    keys = answered_by_both(ours, theirs)
    differences = {
        metric.name: compare(
            metric, [ours[key].outcome for key in keys], [theirs[key].outcome for key in keys]
        )
        for metric in (metrics if keys else ())
    }
    return SolverDifference(
        questions=len(keys),
        metrics={name: found for name, found in differences.items() if not isnan(found.mean)},
    )


def _estimates(metrics: Sequence[Metric], answered: Sequence[IndexedResult]) -> dict[str, Estimate]:
    """Each metric that at least one answer has a score for."""
    if not answered:
        return {}
    outcomes = [result.outcome for result in answered]
    estimates = {metric.name: interval(metric, outcomes) for metric in metrics}
    return {name: estimate for name, estimate in estimates.items() if not isnan(estimate.mean)}


def _unparsable(answered: Sequence[IndexedResult]) -> float | None:
    return _mean([result.read is None for result in answered if not result.silent])


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _price_per_query(price: float | None, queries: int) -> float | None:
    return price / queries if queries and price is not None else None


def _per_query(usage: Usage, queries: int) -> dict[str, Any]:
    """Calls and tokens of one query, in all and by role."""

    def mean(role_usage: RoleUsage) -> dict[str, float]:
        return {name: count / max(queries, 1) for name, count in role_usage.stored().items()}

    total = sum(usage.by_role.values(), RoleUsage())
    return mean(total) | {"by_role": {role: mean(each) for role, each in usage.by_role.items()}}
