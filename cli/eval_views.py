"""How the results of the evaluation look on the terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.output import printable
from personaagent.eval.figures import (
    NOT_KNOWN,
    difference_text,
    estimate_text,
    mean_text,
    number_text,
    price_text,
    share_text,
)

if TYPE_CHECKING:
    from personaagent.eval.comparison import Comparison
    from personaagent.eval.curve import Curve
    from personaagent.eval.summary import Summary, TaskSummary


def summary_view(summary: "Summary") -> RenderableType:
    """A table a task: metrics with intervals, what they took, and where it may not be trusted."""
    shown: list[RenderableType] = []
    for name, task in summary.tasks.items():
        title = f"{name}: {task.users:,} users, {task.questions:,} questions"
        shown += [Text(title, "bold"), _task_table(task), _cost_table(task)]
        shown += [_learning_table(task), Text()]
    if not summary.complete:
        shown.append(Text(f"{summary.done:,} of {summary.total:,} samples are done.", "yellow"))
    made = summary.made_with
    price = "" if summary.price is None else f", price of all {price_text(summary.price)}"
    shown.append(Text(f"Model {made.models['actor']}, seed {made.options.seed}{price}.", "dim"))
    return Group(*shown)


def _task_table(task: "TaskSummary") -> Table:
    rival = task.rival
    first, *others = task.metrics
    table = Table(box=None, padding=(0, 1))
    table.add_column("", no_wrap=True)
    for column in task.metrics:
        table.add_column(f"{column.name} {'↑' if column.higher else '↓'}", justify="right")
    for name in (*([f"against {rival}"] if rival else []), "failed", "unparsable", "agree"):
        table.add_column(name, justify="right")
    for name, method in task.methods.items():
        against = method.against.get(rival or "")
        found = [method.metrics.get(column.name) for column in others]
        table.add_row(
            name,
            estimate_text(method.metrics.get(first.name)),
            *(mean_text(each) for each in found),
            *(
                [difference_text(against.metrics.get(first.name) if against else None)]
                if rival
                else []
            ),
            str(method.failed) if method.failed else "",
            share_text(method.unparsable),
            share_text(method.agreement),
        )
    return table


def _cost_table(task: "TaskSummary") -> Table:
    table = Table(box=None, padding=(0, 1))
    table.add_column("a question takes", style="dim")
    for name in ("calls", "tokens read", "written", "s", "price of 1,000"):
        table.add_column(name, justify="right")
    for name, method in task.methods.items():
        table.add_row(
            name,
            number_text(method.usage["llm_calls"]),
            number_text(method.usage["input_tokens"]),
            number_text(method.usage["output_tokens"]),
            number_text(method.seconds),
            NOT_KNOWN if method.price is None else price_text(1000 * method.price),
        )
    return table


def _learning_table(task: "TaskSummary") -> RenderableType:
    learned = {name: each.learning for name, each in task.methods.items() if each.learning}
    if not learned:
        return Text()
    table = Table(box=None, padding=(0, 1))
    table.add_column("learning, a case", style="dim")
    names = ("accepted", "loss before", "after", "calls", "tokens", "s", "tokens a point")
    for name in names:
        table.add_column(name, justify="right")
    for name, each in learned.items():
        table.add_row(
            name,
            share_text(each.accepted),
            number_text(each.loss_before),
            number_text(each.loss_after),
            number_text(each.llm_calls),
            number_text(each.tokens),
            number_text(each.seconds),
            number_text(each.tokens_per_point),
        )
    return table


def comparison_view(comparison: "Comparison") -> RenderableType:
    """A line for each task, method and metric that both runs have."""
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
            difference_text(row.difference),
        )
    differs = ", ".join(comparison.differs) or "nothing"
    return Group(
        table, Text(printable(f"What the runs were made with differs in: {differs}."), "dim")
    )


def curve_view(curve: "Curve") -> RenderableType:
    """The first metric of each task and method at each value."""
    table = Table(box=None, padding=(0, 1))
    table.add_column("")
    for value in curve.values:
        table.add_column(f"{curve.axis} {value}", justify="right")
    for line in curve.lines:
        table.add_row(
            f"{line.task} {line.method} ({line.metric})",
            *(estimate_text(each) for each in line.estimates),
        )
    return table


def list_view(rows: Mapping[str, list[dict[str, Any]]]) -> RenderableType:
    """Tasks, then methods, each with a few words."""
    shown: list[RenderableType] = []
    for kind, each in rows.items():
        table = Table.grid(padding=(0, 2))
        for row in each:
            table.add_row(Text(row["name"], "cyan"), row["about"])
        shown += [Text(kind.capitalize(), "bold"), table, Text()]
    return Group(*shown)
