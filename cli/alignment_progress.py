"""The progress of an alignment: lines on standard error, and a spinner on a terminal."""

import re
from types import TracebackType
from typing import TYPE_CHECKING, Self

from personaagent.cli.output import Waiting, one_line, print_notice
from personaagent.core.alignment import Round, mean_loss
from personaagent.core.counting import counted

if TYPE_CHECKING:
    from personaagent.local.alignment import AlignmentStep

MAX_GRADIENT_LINES = 4
CITATION = re.compile(r" \(E\d+[,:)].*")
"""Names of episodes that mean something in the critic's prompt only."""
NEXT_WORK = {
    "compare": "reading what went wrong",
    "critique": "proposing edits",
    "update": "testing the edits",
}


class AlignmentProgress:
    """Prints the outcome of every step, and on a terminal what the alignment does now.

    Use it as a context manager, and pass it as ``on_step``.
    """

    def __init__(self) -> None:
        self._waiting = Waiting("Choosing episodes …")

    def __enter__(self) -> Self:
        self._waiting.__enter__()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the spinner, so that something else can use the terminal."""
        self._waiting.stop()

    def __call__(self, step: "AlignmentStep") -> None:
        """Print the outcome of the step, and show what comes next."""
        for line in _outcomes(step):
            print_notice(f"Round {step.round}: {line}")
        self._waiting.update(f"Round {step.round}: {_next_work(step)} …")


def loss_text(loss: float | None) -> str:
    """A loss with two digits, or ``-`` if it is not known."""
    return "-" if loss is None else f"{loss:.2f}"


def _outcomes(step: "AlignmentStep") -> list[str]:
    match step.node:
        case "compare":
            held_out = "" if step.held_out is None else f", {loss_text(step.held_out)} held out"
            return [f"loss {loss_text(step.loss)}{held_out}"]
        case "critique":
            lines = step.gradient.splitlines() or ["the critic found nothing to change"]
            return [one_line(CITATION.sub("", line)) for line in lines[:MAX_GRADIENT_LINES]]
        case "gate" if step.verdict is not None:
            return [_verdict(step.verdict)]
    return []


def _verdict(verdict: Round) -> str:
    outcome = f"{'accepted' if verdict.accepted else 'refused'}, {verdict.reason}"
    changes = [
        f"{name} {loss_text(mean_loss(before.values()))} -> {loss_text(mean_loss(after.values()))}"
        for name, before, after in (
            ("loss", verdict.losses_before, verdict.losses_after),
            ("held out", verdict.holdout_before, verdict.holdout_after),
        )
        if after
    ]
    return "; ".join([outcome, *changes])


def _next_work(step: "AlignmentStep") -> str:
    if step.node in ("sample", "simulate"):
        return f"answering again, {step.simulated} of {counted(step.episodes, 'episode')}"
    return NEXT_WORK.get(step.node, "continuing")
