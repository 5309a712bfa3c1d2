"""Scaling curves: the same run with each value of one setting."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from personaagent.core.errors import UsageError
from personaagent.core.records import Record
from personaagent.core.settings import Settings, load_settings
from personaagent.eval.prices import Prices
from personaagent.eval.run_record import EvalOptions, read_run
from personaagent.eval.selection import select_tasks
from personaagent.eval.solver_summary import SolverSummary
from personaagent.eval.summary import MetricColumn, Summary, summarise_run
from personaagent.scorecard.estimate import Estimate

AXES = {
    "batch": "align_batch",
    "rounds": "align_rounds",
    "memories": "top_k",
    "model": "model",
    "history": None,
    "labels": None,
}
"""Each axis of a curve and the setting that it varies; None: it is an option of the run."""


class CurveLine(Record):
    """One solver on one task: its first metric and its cost at each value.

    Args:
        estimates: the metric at each value; None if nothing was answered.
        tokens: read and written for one query, learning included.
    """

    task: str
    method: str
    metric: str
    higher: bool
    estimates: list[Estimate | None]
    tokens: list[float | None]


class Curve(Record):
    """All lines over the values of ``axis``."""

    axis: str
    values: list[str]
    lines: list[CurveLine]


def apply_axis_value(
    axis: str, value: str, options: EvalOptions, settings: Settings
) -> tuple[EvalOptions, Settings]:
    """Options and settings of the run with this value.

    Raises:
        UsageError, ConfigurationError: the axis cannot have this value.
    """
    setting = AXES[axis]
    if setting is not None:
        return options, load_settings(**{setting: value})
    if not value.isdecimal():
        counted = "labels" if axis == "labels" else "episodes"
        raise UsageError(f"A history has a number of {counted}, not {value!r}.")
    return options.model_copy(update={axis: int(value)}), settings


def curve_over(axis: str, folders: Mapping[str, Path], prices: Prices) -> Curve:
    """The curve over finished runs, whose folders are given by value.

    Raises:
        DataError: a folder holds no run that can be read.
    """
    summaries = [
        summarise_run(folder, select_tasks(read_run(folder).made_with.options), prices)
        for folder in folders.values()
    ]
    lines = [
        _line(name, solver, task.metrics[0], summaries)
        for name, task in summaries[0].tasks.items()
        for solver in task.methods
    ]
    return Curve(axis=axis, values=[*folders], lines=lines)


def _line(task: str, solver: str, metric: MetricColumn, summaries: Sequence[Summary]) -> CurveLine:
    at_each_value = [summary.tasks[task].methods[solver] for summary in summaries]
    return CurveLine(
        task=task,
        method=solver,
        metric=metric.name,
        higher=metric.higher,
        estimates=[summary.metrics.get(metric.name) for summary in at_each_value],
        tokens=[_tokens_per_query(summary) for summary in at_each_value],
    )


def _tokens_per_query(solver: SolverSummary) -> float | None:
    if not solver.answered:
        return None
    learning = solver.learning
    learning_tokens = learning.tokens * learning.cases / solver.answered if learning else 0.0
    return float(solver.usage["input_tokens"] + solver.usage["output_tokens"] + learning_tokens)
