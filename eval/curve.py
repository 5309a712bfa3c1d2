"""Scaling curves: the same run with each value of one setting."""

from collections.abc import Mapping
from pathlib import Path

from personaagent.core.errors import UsageError
from personaagent.core.records import Record
from personaagent.core.settings import Settings, load_settings
from personaagent.eval.prices import Prices
from personaagent.eval.run import tasks_of
from personaagent.eval.run_record import Options, read_run
from personaagent.eval.summary import MethodSummary, summarise
from personaagent.scorecard.estimate import Estimate

AXES = {
    "batch": "align_batch",
    "rounds": "align_rounds",
    "memories": "top_k",
    "model": "model",
    "history": None,
}
"""What a curve is over, and the setting that it varies; ``history`` is an option of the run."""


class Line(Record):
    """One method on one task: at each value the first metric (None: nothing answered), and cost.

    ``tokens`` are those read and written for a question, learning included.
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
    lines: list[Line]


def changed(
    axis: str, value: str, options: Options, settings: Settings
) -> tuple[Options, Settings]:
    """Options and settings with this value.

    Raises:
        UsageError, ConfigurationError: the value cannot be one of that axis.
    """
    setting = AXES[axis]
    if setting is not None:
        return options, load_settings(**{setting: value})
    if not value.isdecimal():
        raise UsageError(f"A history has a number of episodes, not {value!r}.")
    return options.model_copy(update={"history": int(value)}), settings


def curve_of(axis: str, folders: Mapping[str, Path], prices: Prices) -> Curve:
    """The curve over finished runs, by value.

    Raises:
        DataError: a folder holds no run that can be read.
    """
    summaries = [
        summarise(folder, tasks_of(read_run(folder).made_with.options), prices)
        for folder in folders.values()
    ]
    first = summaries[0]
    return Curve(
        axis=axis,
        values=[*folders],
        lines=[
            Line(
                task=name,
                method=method,
                metric=task.metrics[0].name,
                higher=task.metrics[0].higher,
                estimates=[
                    each.tasks[name].methods[method].metrics.get(task.metrics[0].name)
                    for each in summaries
                ],
                tokens=[_tokens(each.tasks[name].methods[method]) for each in summaries],
            )
            for name, task in first.tasks.items()
            for method in task.methods
        ],
    )


def _tokens(method: MethodSummary) -> float | None:
    if not method.answered:
        return None
    learning = method.learning
    learned = learning.tokens * learning.cases / method.answered if learning else 0.0
    return float(method.usage["input_tokens"] + method.usage["output_tokens"] + learned)
