"""The report of a curve: its picture and its table, in one HTML file, and as JSON."""

import io
from collections.abc import Sequence
from pathlib import Path

from personaagent.core.extras import requires_extra
from personaagent.eval.curve import Curve, Line
from personaagent.eval.report.page import page
from personaagent.eval.report.write import write_files

GREY = "#83898f"
"""Of axes and words: it can be read on light and on dark."""


def write_curve(curve: Curve, folder: Path) -> list[Path]:
    """Write curve.html and curve.json into ``folder``; returns their paths.

    Raises:
        DataError: a file cannot be written.
    """
    tasks = dict.fromkeys(line.task for line in curve.lines)
    pictures = {
        task: picture([line for line in curve.lines if line.task == task], curve) for task in tasks
    }
    return write_files(
        folder,
        {
            "curve.html": page("curve.html.jinja", curve=curve, pictures=pictures),
            "curve.json": curve.model_dump_json(indent=2),
        },
    )


def picture(lines: Sequence[Line], curve: Curve) -> str:
    """The lines of one task with their 95% intervals, as an SVG element."""
    with requires_extra("eval", "A picture"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    methods = [*dict.fromkeys(each.method for each in curve.lines)]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "", "font.size": 11}):
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.add_subplot(
            xlabel=curve.axis,
            ylabel=lines[0].metric,
            xticks=range(len(curve.values)),
            xticklabels=curve.values,
        )
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(colors=GREY)
        axes.xaxis.label.set_color(GREY)
        axes.yaxis.label.set_color(GREY)
        for number, line in enumerate(lines):
            # beside each other, so that one interval does not hide another
            aside = (number - (len(lines) - 1) / 2) * 0.04
            known = [(at, each) for at, each in enumerate(line.estimates) if each is not None]
            means = [each.mean for _, each in known]
            axes.errorbar(
                [at + aside for at, _ in known],
                means,
                yerr=(  # rounding can put a mean beyond its interval
                    [max(0.0, each.mean - each.low) for _, each in known],
                    [max(0.0, each.high - each.mean) for _, each in known],
                ),
                color=f"C{methods.index(line.method)}",
                marker="o",
                capsize=3,
                label=line.method,
            )
        axes.legend(frameon=False, labelcolor=GREY)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    svg = written.getvalue()
    return svg[svg.index("<svg") :]
