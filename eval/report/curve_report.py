"""The report of a curve: its plot and its table in one HTML file, and as JSON."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from personaagent.core.extras import requires_extra
from personaagent.eval.curve import Curve, CurveLine
from personaagent.eval.report.report_files import write_files
from personaagent.eval.report.templates import render_template

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "#83898f"
"""The colour of axes and labels; readable on light and dark backgrounds."""
OFFSET = 0.04
"""Distance between neighbouring lines, in steps of the axis, so that no interval hides another."""


def write_curve(curve: Curve, folder: Path) -> list[Path]:
    """Write curve.html and curve.json into ``folder``; returns their paths.

    Raises:
        DataError: a file cannot be written.
    """
    tasks = dict.fromkeys(line.task for line in curve.lines)
    plots = {
        task: plot_curve([line for line in curve.lines if line.task == task], curve)
        for task in tasks
    }
    return write_files(
        folder,
        {
            "curve.html": render_template("curve.html.jinja", curve=curve, plots=plots),
            "curve.json": curve.model_dump_json(indent=2),
        },
    )


def plot_curve(lines: Sequence[CurveLine], curve: Curve) -> str:
    """Plot the lines of one task with their 95% intervals, as an SVG element."""
    with requires_extra("eval", "A picture"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure

    solvers = [*dict.fromkeys(line.method for line in curve.lines)]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "", "font.size": 11}):
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.add_subplot(
            xlabel=curve.axis,
            ylabel=lines[0].metric,
            xticks=range(len(curve.values)),
            xticklabels=curve.values,
        )
        _use_grey(axes)
        for number, line in enumerate(lines):
            offset = (number - (len(lines) - 1) / 2) * OFFSET
            _plot_line(axes, line, offset, color=f"C{solvers.index(line.method)}")
        if not _any_below_0(lines):
            axes.set_ylim(bottom=0)
        axes.legend(frameon=False, labelcolor=GREY)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def _any_below_0(lines: Sequence[CurveLine]) -> bool:
    return any(each is not None and each.low < 0 for line in lines for each in line.estimates)


def _use_grey(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=GREY)
    axes.xaxis.label.set_color(GREY)
    axes.yaxis.label.set_color(GREY)


def _plot_line(axes: "Axes", line: CurveLine, offset: float, color: str) -> None:
    points = [(place, point) for place, point in enumerate(line.estimates) if point is not None]
    axes.errorbar(
        [place + offset for place, _ in points],
        [point.mean for _, point in points],
        yerr=(  # rounding can put a mean outside its interval
            [max(0.0, point.mean - point.low) for _, point in points],
            [max(0.0, point.high - point.mean) for _, point in points],
        ),
        color=color,
        marker="o",
        capsize=3,
        label=line.method,
    )
