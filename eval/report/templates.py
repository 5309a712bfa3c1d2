"""Fills in the templates of the report; in HTML, every value from the data is escaped."""

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from personaagent.core.extras import requires_extra
from personaagent.eval import number_format
from personaagent.eval.descriptions import DESCRIPTIONS
from personaagent.eval.estimate import Difference
from personaagent.eval.report.interval_scale import IntervalScale
from personaagent.eval.report.regressions import OUR_SOLVER

if TYPE_CHECKING:
    from jinja2 import Environment

    from personaagent.eval.summary import MetricColumn, Summary, TaskSummary

SIGNIFICANT_P = 0.05
DIFF_MARKS = {"same": " ", "new": "+", "gone": "-"}


def render_template(template: str, **values: Any) -> str:
    """Fill in the template."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> "Environment":
    with requires_extra("eval", "A report"):
        from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("personaagent.eval.report", "."),
        autoescape=select_autoescape(["html.jinja"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "estimate": number_format.format_estimate,
        "difference": number_format.format_difference,
        "number": number_format.format_number,
        "share": number_format.format_share,
        "price": number_format.format_price,
        "p": number_format.format_p,
        "counted": number_format.format_count,
        "tick": lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
        "shown_metrics": shown_metrics,
        "persona_against_rivals": persona_against_rivals,
        "pretty": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        "changes": lambda lines: "\n".join(
            f"{DIFF_MARKS[line.kind]} {line.text}" for line in lines
        ),
        "fenced": fenced,
        "verdict": verdict,
    }
    environment.globals |= {"interval_scale": interval_scale, "descriptions": DESCRIPTIONS}
    return environment


def shown_metrics(task: "TaskSummary") -> "list[MetricColumn]":
    """The first metric, and each other that a solver has a figure of."""
    first, *others = task.metrics
    return [first, *(each for each in others if _has_metric(task, each))]


def _has_metric(task: "TaskSummary", metric: "MetricColumn") -> bool:
    return any(metric.name in solver.metrics for solver in task.methods.values())


def persona_against_rivals(summary: "Summary") -> dict[str, Difference]:
    """Our solver less the rival by the first metric, on each task where both answered something."""
    found: dict[str, Difference] = {}
    for name, task in summary.tasks.items():
        ours = task.methods.get(OUR_SOLVER)
        against = ours.against.get(task.rival) if ours and task.rival else None
        if against and task.metrics[0].name in against.metrics:
            found[name] = against.metrics[task.metrics[0].name]
    return found


def interval_scale(task: "TaskSummary") -> IntervalScale:
    """The scale on which the first metric of all solvers is drawn."""
    name = task.metrics[0].name
    estimates = [solver.metrics.get(name) for solver in task.methods.values()]
    return IntervalScale.of([estimate for estimate in estimates if estimate is not None])


def verdict(difference: Difference | None, higher: bool) -> str:
    """What a difference shows: ``better``, ``worse``, or ``open``."""
    if difference is None or difference.p > SIGNIFICANT_P or difference.low <= 0 <= difference.high:
        return "open"
    return "better" if (difference.mean > 0) == higher else "worse"


def fenced(text: str) -> str:
    """The text as a Markdown code block; no backticks in the text can end the block."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
