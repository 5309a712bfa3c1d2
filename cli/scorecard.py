"""``personaagent persona scorecard``: what persona and memory are worth, in order of time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.output import AsJson, notice, printable, progress, show, warn
from personaagent.cli.run import User, known_user, run
from personaagent.core.records import check_user_id

if TYPE_CHECKING:
    from rich.console import RenderableType

    from personaagent.eval.estimate import Estimate
    from personaagent.eval.scorecard import Scorecard
    from personaagent.graphs.local import LocalAgent

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 32


def show_scorecard(
    user: User,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, help="How many labelled episodes, the newest.")
    ] = 50,
    as_json: AsJson = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw it, as a PNG image.")
    ] = None,
) -> None:
    """Test each version of the persona on what came after it (asks the models).

    Each labelled episode, oldest first, is answered again with nothing but what came before it: by
    the bare model, by plain RAG, with the initial persona, and with the persona of that time.
    Answers that were simulated before are not paid for again.
    """
    check_user_id(user)

    async def work(agent: "LocalAgent") -> "Scorecard":
        from personaagent.eval.scorecard import scorecard

        await known_user(agent, user)
        with progress("Testing episodes") as advance:
            return await scorecard(agent.parts, agent.store, user, limit, advance)

    card = run(work, role="actor", embeddings=True)
    for warning in card.warnings:
        warn(warning)
    show(card, as_json, scorecard_view)
    if picture is not None:
        from personaagent.eval.picture import draw

        draw(card, picture)
        notice(f"The picture is in {picture}.")


def scorecard_view(card: "Scorecard") -> "RenderableType":
    """A line a condition: mean loss, difference to no persona, and how the mean went over time."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from personaagent.eval.conditions import CONDITIONS

    running = {condition: card.running(condition) for condition in CONDITIONS}
    lowest, highest = min(map(min, running.values())), max(map(max, running.values()))
    table = Table(box=None, header_style="bold")
    for name in ("condition", "episodes", "mean loss", "95% interval"):
        table.add_column(name, justify="left" if name == "condition" else "right")
    table.add_column("against none", justify="right")
    table.add_column(f"mean so far, {lowest:.2f} to {highest:.2f}", no_wrap=True)
    for condition, name in CONDITIONS.items():
        mean = card.means[condition]
        table.add_row(
            name,
            str(len(card.compared)),
            f"{mean.loss.mean:.3f}",
            f"[{mean.loss.low:.3f}, {mean.loss.high:.3f}]",
            "" if condition == "none" else _difference(mean.to_none),
            sparkline(running[condition], lowest, highest),
        )
    first, last = card.compared[0], card.compared[-1]
    title = (
        f"Tested before trained: {card.user_id}, {first.at:%Y-%m-%d} (version {first.version}) to "
        f"{last.at:%Y-%m-%d} (version {last.version})"
    )
    return Group(Text(printable(title), "bold"), table, Text(_cost(card), "dim"))


def sparkline(values: Sequence[float], lowest: float, highest: float) -> str:
    """The values as bars, at most 32 of them, the lowest and the highest bar as given."""
    count = min(len(values), WIDTH)
    shown = [values[(each + 1) * len(values) // count - 1] for each in range(count)]
    span = (highest - lowest) or 1.0
    return "".join(BARS[round((each - lowest) / span * (len(BARS) - 1))] for each in shown)


def _difference(estimate: "Estimate") -> str:
    return f"{estimate.mean:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"


def _cost(card: "Scorecard") -> str:
    usage = card.usage
    return (
        f"{usage['cached']:,} simulations had been paid for before; the rest took "
        f"{usage['llm_calls']:,} model calls, {usage['input_tokens']:,} tokens read and "
        f"{usage['output_tokens']:,} written."
    )
