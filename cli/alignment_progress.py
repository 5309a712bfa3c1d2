"""How an alignment gets on, while it does: a line for what each round has found."""

import re
from types import TracebackType
from typing import TYPE_CHECKING, Self

from personaagent.cli.output import console, notice
from personaagent.core.alignment import Round, mean_loss
from personaagent.core.text import shorten

if TYPE_CHECKING:
    from personaagent.local.alignment import AlignmentStep

LINE_CHARS = 160
MOST_LINES = 4
"""Of a gradient."""
CITED = re.compile(r" \(E\d+[,:)].*")
"""Names of episodes that mean something in the critic's prompt only."""


class AlignmentProgress:
    """Told of every step: lines on standard error, and on a terminal what is being done now."""

    def __init__(self) -> None:
        self._status = console(stderr=True).status("Choosing episodes …")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the terminal to somebody else."""
        self._status.stop()

    def __call__(self, step: "AlignmentStep") -> None:
        """Tell of the step, and begin to wait for the next."""
        for line in _lines(step):
            notice(f"Round {step.round}: {line}")
        self._status.update(f"Round {step.round}: {_next(step)} …")


def loss_text(losses: float | None) -> str:
    """A loss with two digits, or ``-`` where it is not known."""
    return "-" if losses is None else f"{losses:.2f}"


def _lines(step: "AlignmentStep") -> list[str]:
    match step.node:
        case "compare":
            held_out = "" if step.held_out is None else f", {loss_text(step.held_out)} held out"
            return [f"loss {loss_text(step.loss)}{held_out}"]
        case "critique":
            lines = step.gradient.splitlines() or ["the critic found nothing to change"]
            return [shorten(CITED.sub("", line), LINE_CHARS) for line in lines[:MOST_LINES]]
        case "gate" if step.verdict is not None:
            return [_verdict(step.verdict)]
    return []


def _verdict(done: Round) -> str:
    parts = [f"{'accepted' if done.accepted else 'refused'}, {done.reason}"]
    for name, before, after in (
        ("loss", done.losses_before, done.losses_after),
        ("held out", done.holdout_before, done.holdout_after),
    ):
        if after:
            change = f"{loss_text(mean_loss(before.values()))} -> "
            parts.append(f"{name} {change}{loss_text(mean_loss(after.values()))}")
    return "; ".join(parts)


def _next(step: "AlignmentStep") -> str:
    if step.node in ("sample", "simulate"):
        return f"answering again, {step.simulated} of {step.episodes} episodes"
    return {
        "compare": "reading what went wrong",
        "critique": "proposing edits",
        "update": "proving them",
    }.get(step.node, "going on")
