"""How much each source counts when a closed question of a task is decided: part of a persona version."""

from collections.abc import Sequence

from pydantic import Field

from personaagent.core.counting import counted
from personaagent.core.record import Record

WEIGHTS_ID = "weights"
"""What the ids of weights begin with; those of rules begin with ``r``."""


class Weights(Record):
    """The user's own weights for the closed questions of one task; defaults are by kind of question.

    Args:
        task: the task; None for the questions without one.
        history, model, names: the weight of each source's log-probability.
        half_life: a label counts half as much after so many newer labels; 0: all count the same.
        offset: added to a number before it is decided: how far the user is from the model.
        shown: how many recalled episodes the prompt shows; None: the setting.
        labels: how many of the user's labels these weights were fitted on.
        locked: whether alignment must leave them as they are.
    """

    task: str | None = None
    history: float = Field(default=1.0, ge=0, le=10)
    model: float = Field(default=1.5, ge=0, le=10)
    names: float = Field(default=0.0, ge=0, le=10)
    half_life: float = Field(default=0.0, ge=0)
    offset: float = 0.0
    shown: int | None = Field(default=None, ge=0, le=100)
    labels: int = Field(default=0, ge=0)
    locked: bool = False

    @property
    def id(self) -> str:
        """What the user calls them by: ``weights:TASK``; ``weights`` for questions without a task."""
        return WEIGHTS_ID if self.task is None else f"{WEIGHTS_ID}:{self.task}"


def describe_weights(weights: Weights) -> str:
    """What they say, in words: "history 1, model 2, names 0.5; numbers +0.3"."""
    parts = [f"history {weights.history:g}, model {weights.model:g}, names {weights.names:g}"]
    if weights.half_life:
        parts.append(f"a label counts half after {weights.half_life:g} newer ones")
    if weights.offset:
        parts.append(f"numbers {weights.offset:+g}")
    if weights.shown is not None:
        parts.append(f"{counted(weights.shown, 'episode')} shown")
    return "; ".join(parts)


def with_weights(all_weights: Sequence[Weights], new: Weights) -> list[Weights]:
    """All weights, with ``new`` in place of those of its task."""
    return [*(each for each in all_weights if each.task != new.task), new]


def weights_of(task: str | None, all_weights: Sequence[Weights]) -> Weights | None:
    """The weights of that task; None if there are none."""
    return next((weights for weights in all_weights if weights.task == task), None)
