"""The plot of a scorecard: the running mean losses."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from personaagent.core.errors import DataError
from personaagent.core.extras import requires_extra
from personaagent.scorecard.conditions import CONDITIONS
from personaagent.scorecard.scorecard import Scorecard

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def save_plot(card: Scorecard, path: Path) -> None:
    """Write the running mean loss of each condition as a PNG image; new versions are marked.

    Raises:
        ConfigurationError: Matplotlib is not installed.
        DataError: the file cannot be written.
    """
    with requires_extra("eval", "A picture of the scorecard"):
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    axes = figure.add_subplot(
        xlabel="episodes, in order of time", ylabel="mean loss so far", ylim=(-0.02, 1.02)
    )
    _plot_conditions(axes, card)
    _mark_new_versions(axes, card)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Tested before trained")
    axes.legend()
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error


def _plot_conditions(axes: "Axes", card: Scorecard) -> None:
    for place, (condition, label) in enumerate(CONDITIONS.items()):
        means = card.running_means(condition)
        width = 1.5 * (len(CONDITIONS) - place)  # so that a covered line is still visible
        axes.plot(
            range(1, len(means) + 1), means, "o-", label=label, linewidth=width, markersize=width
        )


def _mark_new_versions(axes: "Axes", card: Scorecard) -> None:
    versions = [episode.version for episode in card.compared]
    for number, (before, after) in enumerate(pairwise(versions), 2):
        if before != after:
            axes.axvline(number, color="grey", linestyle=":", linewidth=1)
            axes.annotate(
                f"version {after}", (number, 0), rotation=90, va="bottom", ha="right", color="grey"
            )
