"""How far a run of alignment is, from its state."""

from collections.abc import Mapping
from typing import Any

from personaagent.core.alignment import Loss, Round, mean_loss
from personaagent.core.records import Record


class Progress(Record):
    """How far a run is in its round.

    ``simulated`` of ``episodes`` have been answered again; ``loss`` and ``held_out`` are the mean
    losses on the batch and on the held-out episodes, None while they are unknown; ``verdict`` is
    the result of the last round that ended.
    """

    round: int
    episodes: int
    simulated: int = 0
    loss: float | None = None
    held_out: float | None = None
    gradient: str = ""
    verdict: Round | None = None


def progress_of(state: Mapping[str, Any], *, compared: bool) -> Progress:
    """The progress of the run with this state; ``compared`` if its losses are of this round."""
    episodes = [*state["batch"], *state["holdout"], *state["earlier_batches"]]
    losses = {id: Loss.model_validate(loss).loss for id, loss in state["losses"].items()}
    return Progress(
        round=state["round"],
        episodes=len(episodes),
        simulated=len(set(episodes).intersection(state["simulated"])),
        loss=mean_loss(map(losses.get, state["batch"])) if compared else None,
        held_out=mean_loss(map(losses.get, state["holdout"])) if compared else None,
        gradient=state["gradient"],
        verdict=Round.model_validate(state["rounds"][-1]) if state["rounds"] else None,
    )
