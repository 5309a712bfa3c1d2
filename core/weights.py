"""How much each source counts when a closed question of a task is decided: part of a persona version."""

from pydantic import Field

from personaagent.core.record import Record


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
