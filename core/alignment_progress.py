"""How far a run of alignment is, told from its state."""

from collections.abc import Mapping
from typing import Any

from personaagent.core.alignment import Loss, Round, mean_loss
from personaagent.core.records import Record


class Progress(Record):
    """How a run stands in its round.

    ``simulated`` of ``episodes`` have been answered again; ``loss`` and ``held_out`` are the mean
    losses on batch and held-out episodes, None where they are not known (yet); ``verdict`` is that
    of the last round that ended.
    """

    round: int
    episodes: int
    simulated: int = 0
    loss: float | None = None
    held_out: float | None = None
    gradient: str = ""
    verdict: Round | None = None


def progress_of(state: Mapping[str, Any], *, compared: bool) -> Progress:
    """How the run with this state stands; ``compared``: the losses are of what was simulated."""
    episodes = [*state["batch"], *state["holdout"], *state["earlier_batches"]]
    losses = {each: Loss.model_validate(loss).loss for each, loss in state["losses"].items()}
    return Progress(
        round=state["round"],
        episodes=len(episodes),
        simulated=len(set(episodes).intersection(state["simulated"])),
        loss=mean_loss(losses.get(each) for each in state["batch"]) if compared else None,
        held_out=mean_loss(losses.get(each) for each in state["holdout"]) if compared else None,
        gradient=state["gradient"],
        verdict=Round.model_validate(state["rounds"][-1]) if state["rounds"] else None,
    )
