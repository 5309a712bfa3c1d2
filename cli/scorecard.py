"""``personaagent persona scorecard``: does the persona help, tested in order of time?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.dates import shown_day
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import (
    print_notice,
    print_result,
    print_warning,
    printable,
    progress_bar,
)
from personaagent.core.counting import counted
from personaagent.core.extras import check_installed
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from rich.console import RenderableType

    from personaagent.local.agent import LocalAgent
    from personaagent.scorecard.scorecard import Scorecard

SPARKLINE_BARS = "▁▂▃▄▅▆▇█"
SPARKLINE_WIDTH = 32
VERDICTS = {
    "unknown": "Too few answers to be certain",
    "fits": "Yes",
    "too_sure": "No, surer than it should be",
    "too_unsure": "No, right more often than it says",
}


def show_scorecard(
    user: User,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, help="How many of the newest labelled episodes.")
    ] = 50,
    as_json: AsJson = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a plot as well, as a PNG image.")
    ] = None,
) -> None:
    """Test each version of the persona on later episodes (calls the models).

    Each labelled episode, oldest first, is answered again by what came before it: by the bare model,
    by plain RAG, with the initial persona, and with the persona of that time. Answers that were
    simulated earlier are not paid for again.
    """
    check_user_id(user)
    if picture is not None:  # found missing afterwards, all would have been tested for nothing
        check_installed("matplotlib", "eval", "A picture of the scorecard")

    async def work(agent: "LocalAgent") -> "Scorecard":
        from personaagent.scorecard.run_scorecard import compute_scorecard

        await known_user(agent, user)
        with progress_bar("Testing episodes") as on_progress:
            return await compute_scorecard(agent.deps, agent.store, user, limit, on_progress)

    card = run_with_agent(work, role="all", embeddings=True)
    for warning in card.warnings:
        print_warning(warning)
    print_result(card, as_json, scorecard_view)
    if picture is not None:
        from personaagent.scorecard.plot import save_plot

        save_plot(card, picture)
        print_notice(f"The picture is in {picture}.")


def scorecard_view(card: "Scorecard") -> "RenderableType":
    """The mean loss of each condition, its difference to no persona, and how it developed."""
    from rich.console import Group
    from rich.text import Text

    first, last = card.compared[0], card.compared[-1]
    title = (
        f"Tested before trained: {card.user_id}, {counted(len(card.compared), 'episode')}, "
        f"{shown_day(first.at)} (version {first.version}) to "
        f"{shown_day(last.at)} (version {last.version})"
    )
    return Group(
        Text(printable(title), "bold"),
        Text(card.helped.sentence if card.helped else ""),
        _means(card),
        _chart(card),
        *map(Text, filter(None, [_sure(card)])),
        Text(_cost(card), "dim"),
    )


def _means(card: "Scorecard") -> "RenderableType":
    from personaagent.cli.tables import Figures
    from personaagent.scorecard.conditions import CONDITIONS

    rows: list[list[str]] = []
    for condition, name in CONDITIONS.items():
        loss, to_none = card.means[condition].loss, card.means[condition].to_none
        against = f"{to_none.mean:+.3f} [{to_none.low:+.3f}, {to_none.high:+.3f}]"
        rows.append(
            [
                name,
                f"{loss.mean:.3f}",
                f"[{loss.low:.3f}, {loss.high:.3f}]",
                against if condition != "none" else "",
            ]
        )
    return Figures(["", "mean loss", "95% interval", "against none, in pairs"], rows)


def _chart(card: "Scorecard") -> "RenderableType":
    from personaagent.cli.tables import Figures
    from personaagent.scorecard.conditions import CONDITIONS

    running = {condition: card.running_means(condition) for condition in CONDITIONS}
    lowest, highest = min(map(min, running.values())), max(map(max, running.values()))
    title = f"mean loss so far, from {lowest:.3f} to {highest:.3f}"
    rows = [
        [name, sparkline(running[condition], lowest, highest).ljust(len(title))]
        for condition, name in CONDITIONS.items()
    ]
    return Figures(["", title], rows)


def sparkline(values: Sequence[float], lowest: float, highest: float) -> str:
    """The values as at most 32 bars; ``lowest`` and ``highest`` scale them."""
    count = min(len(values), SPARKLINE_WIDTH)
    shown = [values[(bar + 1) * len(values) // count - 1] for bar in range(count)]
    span = (highest - lowest) or 1.0
    return "".join(
        SPARKLINE_BARS[round((value - lowest) / span * (len(SPARKLINE_BARS) - 1))]
        for value in shown
    )


def _sure(card: "Scorecard") -> str:
    """How sure the judged decisions were, and how often right; empty without any."""
    found = card.calibration
    if found is None or found.right is None or found.stated is None:
        return ""
    judged = counted(found.questions, "judged answer")
    return (
        f"As sure as it is right? {VERDICTS[found.verdict]}: {judged} to closed questions stated "
        f"{found.stated:.0%} on average, and {found.right.mean:.0%} were right."
    )


def _cost(card: "Scorecard") -> str:
    usage = card.usage
    return (
        f"{counted(usage['cached'], 'simulation was', 'simulations were')} paid for earlier; the rest took "
        f"{counted(usage['llm_calls'], 'model call')}, {usage['input_tokens']:,} input and "
        f"{counted(usage['output_tokens'], 'output token')}."
    )
