"""The picture of a scorecard: the mean losses as the episodes came."""

from itertools import pairwise
from pathlib import Path

from personaagent.core.errors import DataError
from personaagent.core.extras import requires_extra
from personaagent.scorecard.conditions import CONDITIONS
from personaagent.scorecard.scorecard import Scorecard


def draw(card: Scorecard, path: Path) -> None:
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
    for place, (condition, name) in enumerate(CONDITIONS.items()):
        losses = card.running(condition)
        width = 1.5 * (len(CONDITIONS) - place)  # a line below another is seen at its sides
        axes.plot(
            range(1, len(losses) + 1), losses, "o-", label=name, linewidth=width, markersize=width
        )
    versions = [each.version for each in card.compared]
    for number, (before, after) in enumerate(pairwise(versions), 2):
        if before != after:
            axes.axvline(number, color="grey", linestyle=":", linewidth=1)
            axes.annotate(
                f"version {after}", (number, 0), rotation=90, va="bottom", ha="right", color="grey"
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Tested before trained")
    axes.legend()
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error
