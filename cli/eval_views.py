"""Tables of the evaluation for the terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.output import printable
from personaagent.eval.number_format import (
    format_difference,
    format_estimate,
    format_mean,
    format_number,
    format_price,
    format_share,
)

if TYPE_CHECKING:
    from personaagent.eval.comparison import RunComparison
    from personaagent.eval.curve import Curve
    from personaagent.eval.solver_summary import SolverSummary
    from personaagent.eval.summary import Summary, TaskSummary


def summary_view(summary: "Summary") -> RenderableType:
    """For each task: metrics with intervals, the cost of a question, and what learning cost."""
    parts: list[RenderableType] = []
    for name, task in summary.tasks.items():
        title = f"{name}: {task.users:,} users, {task.questions:,} questions"
        parts += [Text(title, "bold"), _task_table(task), _cost_table(task)]
        parts += [_learning_table(task), Text()]
    if not summary.complete:
        parts.append(Text(f"{summary.done:,} of {summary.total:,} results are done.", "yellow"))
    made = summary.made_with
    price = "" if summary.price is None else f", price of all {format_price(summary.price)}"
    parts.append(Text(f"Model {made.models['actor']}, seed {made.options.seed}{price}.", "dim"))
    return Group(*parts)


def _task_table(task: "TaskSummary") -> Table:
    rival = [f"against {task.rival}"] if task.rival else []
    table = Table(box=None, padding=(0, 1))
    table.add_column("", no_wrap=True)
    metrics = [f"{column.name} {'↑' if column.higher else '↓'}" for column in task.metrics]
    for header in (*metrics, *rival, "failed", "unparsable", "agree"):
        table.add_column(header, justify="right")
    for name, method in task.methods.items():
        table.add_row(
            name,
            *_metric_cells(task, method),
            str(method.failed) if method.failed else "",
            format_share(method.unparsable),
            format_share(method.agreement),
        )
    return table


def _metric_cells(task: "TaskSummary", method: "SolverSummary") -> list[str]:
    """The first metric with its interval, the means of the others, and the difference to the rival."""
    first, *others = (column.name for column in task.metrics)
    cells = [format_estimate(method.metrics.get(first))]
    cells += [format_mean(method.metrics.get(name)) for name in others]
    if task.rival:
        against = method.against.get(task.rival)
        cells.append(format_difference(against.metrics.get(first) if against else None))
    return cells


def _cost_table(task: "TaskSummary") -> Table:
    table = Table(box=None, padding=(0, 1))
    table.add_column("cost of a question", style="dim")
    for name in ("calls", "tokens read", "written", "s", "price of 1,000"):
        table.add_column(name, justify="right")
    for name, method in task.methods.items():
        table.add_row(
            name,
            format_number(method.usage["llm_calls"]),
            format_number(method.usage["input_tokens"]),
            format_number(method.usage["output_tokens"]),
            format_number(method.seconds),
            format_price(None if method.price is None else 1000 * method.price),
        )
    return table


def _learning_table(task: "TaskSummary") -> RenderableType:
    learning = {name: method.learning for name, method in task.methods.items() if method.learning}
    if not learning:
        return Text()
    table = Table(box=None, padding=(0, 1))
    table.add_column("learning, per case", style="dim")
    headers = ("accepted", "loss before", "after", "calls", "tokens", "s", "tokens a point")
    for header in headers:
        table.add_column(header, justify="right")
    for name, stats in learning.items():
        table.add_row(
            name,
            format_share(stats.accepted),
            format_number(stats.loss_before),
            format_number(stats.loss_after),
            format_number(stats.llm_calls),
            format_number(stats.tokens),
            format_number(stats.seconds),
            format_number(stats.tokens_per_point),
        )
    return table


def comparison_view(comparison: "RunComparison") -> RenderableType:
    """A row for each task, method and metric that both runs have."""
    table = Table(box=None, padding=(0, 1))
    for name in ("task", "method", "metric"):
        table.add_column(name)
    for name in ("questions", "first", "second", "second less first"):
        table.add_column(name, justify="right")
    for row in comparison.rows:
        table.add_row(
            row.task,
            row.method,
            row.metric,
            f"{row.questions:,}",
            f"{row.first:.3f}",
            f"{row.second:.3f}",
            format_difference(row.difference),
        )
    differs = ", ".join(comparison.differs) or "nothing"
    return Group(table, Text(printable(f"The runs differ in: {differs}."), "dim"))


def curve_view(curve: "Curve") -> RenderableType:
    """The first metric of each task and method at each value."""
    table = Table(box=None, padding=(0, 1))
    table.add_column("")
    for value in curve.values:
        table.add_column(f"{curve.axis} {value}", justify="right")
    for line in curve.lines:
        table.add_row(
            f"{line.task} {line.method} ({line.metric})",
            *(format_estimate(estimate) for estimate in line.estimates),
        )
    return table


def list_view(rows: Mapping[str, list[dict[str, Any]]]) -> RenderableType:
    """Tasks, then methods, each with a short description."""
    parts: list[RenderableType] = []
    for title, entries in rows.items():
        table = Table.grid(padding=(0, 2))
        for entry in entries:
            table.add_row(Text(entry["name"], "cyan"), entry["about"])
        parts += [Text(title.capitalize(), "bold"), table, Text()]
    return Group(*parts)
