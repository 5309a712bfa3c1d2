"""Tables of the evaluation for the terminal."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.eval_tables import NamedRows
from personaagent.cli.output import printable
from personaagent.eval.number_format import (
    format_count,
    format_difference,
    format_estimate,
    format_mean,
    format_number,
    format_price,
    format_share,
)

if TYPE_CHECKING:
    from personaagent.eval.comparison import ComparedMetric, RunComparison
    from personaagent.eval.curve import Curve, CurveLine
    from personaagent.eval.solver_summary import SolverSummary
    from personaagent.eval.summary import MetricColumn, Summary, TaskSummary


def summary_view(summary: "Summary") -> RenderableType:
    """For each task: metrics with intervals, the cost of a question, and what learning cost."""
    parts: list[RenderableType] = []
    for name, task in summary.tasks.items():
        users, questions = (
            format_count(task.users, "user"),
            format_count(task.questions, "question"),
        )
        parts += [Text(f"{name}: {users}, {questions}", "bold"), _task_table(task)]
        parts += [Text(), _cost_table(task), Text(), *_learning_table(task)]
    if not summary.complete:
        parts.append(Text(f"{summary.done:,} of {summary.total:,} results are done.", "yellow"))
    made = summary.made_with
    price = "" if summary.price is None else f", price of all {format_price(summary.price)}"
    parts.append(Text(f"Model {made.models['actor']}, seed {made.options.seed}{price}.", "dim"))
    return Group(*parts)


def _task_table(task: "TaskSummary") -> NamedRows:
    """The first metric with its interval, the difference to the rival, and the means of the others."""
    methods = task.methods.values()
    first, *others = task.metrics
    columns = {_header(first): [format_estimate(each.metrics.get(first.name)) for each in methods]}
    if task.rival:
        columns[f"against {task.rival}"] = [
            _against(each, task.rival, first.name) for each in methods
        ]
    for metric in others:
        columns[_header(metric)] = [format_mean(each.metrics.get(metric.name)) for each in methods]
    columns |= {
        "failed": [str(each.failed or "") for each in methods],
        "no answer": _shares([each.no_answer for each in methods]),
        "unparsable": _shares([each.unparsable for each in methods]),
        "agree": [format_share(each.agreement) for each in methods],
    }
    return NamedRows("", [*task.methods], columns)


def _shares(shares: Sequence[float | None]) -> list[str]:
    """The shares, or nothing at all if all are 0: then there is nothing to tell."""
    return [format_share(share) if any(shares) else "" for share in shares]


def _header(metric: "MetricColumn") -> str:
    return f"{metric.name} {'↑' if metric.higher else '↓'}"


def _against(method: "SolverSummary", rival: str, metric: str) -> str:
    against = method.against.get(rival)
    return format_difference(against.metrics.get(metric) if against else None)


def _cost_table(task: "TaskSummary") -> NamedRows:
    methods = task.methods.values()
    prices = [None if each.price is None else 1000 * each.price for each in methods]
    columns = {
        "calls": [format_number(each.usage["llm_calls"]) for each in methods],
        "tokens read": [format_number(each.usage["input_tokens"]) for each in methods],
        "written": [format_number(each.usage["output_tokens"]) for each in methods],
        "s": [format_number(each.seconds) for each in methods],
        "price of 1,000": [format_price(price) for price in prices],
    }
    return NamedRows("cost of a question", [*task.methods], columns)


def _learning_table(task: "TaskSummary") -> list[RenderableType]:
    """A table and an empty line; nothing if no method learned."""
    learning = {name: method.learning for name, method in task.methods.items() if method.learning}
    if not learning:
        return []
    stats = learning.values()
    columns = {
        "accepted": [format_share(each.accepted) for each in stats],
        "loss before": [format_number(each.loss_before) for each in stats],
        "after": [format_number(each.loss_after) for each in stats],
        "calls": [format_number(each.llm_calls) for each in stats],
        "tokens": [format_number(each.tokens) for each in stats],
        "s": [format_number(each.seconds) for each in stats],
        "tokens a point": [format_number(each.tokens_per_point) for each in stats],
    }
    return [NamedRows("learning, per case", [*learning], columns), Text()]


def comparison_view(comparison: "RunComparison") -> RenderableType:
    """For each task, the methods and metrics that both runs have."""
    parts: list[RenderableType] = []
    for task, rows in groupby(comparison.rows, key=attrgetter("task")):
        parts += [Text(task, "bold"), _comparison_table([*rows]), Text()]
    if comparison.not_compared:
        names = ", ".join(comparison.not_compared)
        parts.append(Text(printable(f"Without a question that both answered: {names}."), "yellow"))
    differs = ", ".join(comparison.differs) or "nothing"
    return Group(*parts, Text(printable(f"The runs differ in: {differs}."), "dim"))


def _comparison_table(rows: Sequence["ComparedMetric"]) -> Table:
    """The rows of one task; each method is a line above its metrics."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("method (questions)", overflow="fold")
    for header in ("first", "second", "second less first"):
        table.add_column(header, justify="right", overflow="fold")
    for (method, questions), metrics in groupby(rows, key=attrgetter("method", "questions")):
        table.add_row(f"{method} ({questions:,})")
        for row in metrics:
            figures = (f"{row.first:.3f}", f"{row.second:.3f}", format_difference(row.difference))
            table.add_row(f"  {row.metric}", *figures)
    return table


def curve_view(curve: "Curve") -> RenderableType:
    """The first metric of each task and method at each value."""
    parts: list[RenderableType] = []
    for (task, metric), lines in groupby(curve.lines, key=attrgetter("task", "metric")):
        parts += [Text(f"{task}: {metric}", "bold"), _curve_table(curve, [*lines])]
    return Group(*parts)


def _curve_table(curve: "Curve", lines: Sequence["CurveLine"]) -> NamedRows:
    columns = {
        f"{curve.axis} {value}": [format_estimate(line.estimates[number]) for line in lines]
        for number, value in enumerate(curve.values)
    }
    return NamedRows("", [line.method for line in lines], columns)


def list_view(rows: Mapping[str, list[dict[str, Any]]]) -> RenderableType:
    """Tasks, then methods, each with a short description."""
    parts: list[RenderableType] = []
    for title, entries in rows.items():
        table = Table.grid(padding=(0, 2))
        for entry in entries:
            table.add_row(Text(entry["name"], "cyan"), entry["about"])
        parts += [Text(title.capitalize(), "bold"), table, Text()]
    return Group(*parts)
