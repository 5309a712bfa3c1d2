"""The state of a run of alignment as typed objects: a node parses it once."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from personaagent.core.alignment import (
    Candidate,
    EpisodeContext,
    Loss,
    Point,
    Round,
    SimulatedAnswer,
)
from personaagent.core.alignment_state import AlignmentPlan, AlignmentState
from personaagent.core.records import Rule, Usage
from personaagent.core.settings import Settings
from personaagent.core.weights import Weights, with_weights


class RunPersona(BaseModel):
    """Rules and weights that a run judges by its episodes.

    ``left_out``: as of ``Candidate``. No label proves weights that were fitted on it.
    """

    model_config = ConfigDict(frozen=True)

    rules: list[Rule]
    weights: list[Weights]
    left_out: dict[str, Weights] = Field(default_factory=dict)

    def weights_for(self, episode_id: str) -> list[Weights]:
        """The weights by which this episode is decided: of its task those fitted without its label."""
        own = self.left_out.get(episode_id)
        return self.weights if own is None else with_weights(self.weights, own)


class AlignmentRun(BaseModel):
    """A run as its state describes it: the fields of ``AlignmentState``, parsed.

    ``plan`` stays within the limits of the settings, whatever was written into the state.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    plan: AlignmentPlan
    from_version: int
    initial_rules: list[Rule]
    rules: list[Rule]
    accepted_history: list[list[Rule]]
    initial_weights: list[Weights] = Field(default_factory=list)
    weights: list[Weights] = Field(default_factory=list)
    accepted_weights: list[list[Weights]] = Field(default_factory=list)
    accepted_left_out: list[dict[str, Weights]] = Field(default_factory=list)
    round: int
    stale_rounds: int
    batch: list[str]
    holdout: list[str]
    earlier_batches: list[str]
    episode_contexts: dict[str, EpisodeContext]
    simulated: dict[str, SimulatedAnswer]
    losses: dict[str, Loss]
    last_losses: dict[str, float]
    gradient: str
    points: list[Point]
    candidates: list[Candidate]
    refused: list[str]
    rounds: list[Round]
    usage: Usage
    gate_usage: Usage
    cached: int
    stopped_by: str
    warnings: list[str]

    @classmethod
    def from_state(cls, state: AlignmentState, settings: Settings) -> "AlignmentRun":
        """Parse the state of a run that has begun."""
        run = cls.model_validate(state)
        return run.model_copy(update={"plan": run.plan.clamped_to(settings)})

    @property
    def changed(self) -> bool:
        """Whether the best persona so far is not the one that the run began with."""
        return (self.rules, self.weights) != (self.initial_rules, self.initial_weights)

    @property
    def left_out(self) -> dict[str, Weights]:
        """By episode, the weights of the persona so far that were fitted without its label."""
        return self.accepted_left_out[-1] if self.accepted_left_out else {}

    @property
    def personas(self) -> list[RunPersona]:
        """The initial persona, and each accepted candidate, in order.

        A run that an earlier version began has accepted rules without the rest.
        """
        accepted = zip_longest(self.accepted_history, self.accepted_weights, self.accepted_left_out)
        return [
            RunPersona(rules=self.initial_rules, weights=self.initial_weights),
            *(
                RunPersona(rules=rules, weights=weights or [], left_out=left_out or {})
                for rules, weights, left_out in accepted
            ),
        ]

    def persona_of(self, candidate: Candidate) -> RunPersona:
        """The persona that the candidate would make; what it does not change stays."""
        weights = self.weights if candidate.weights is None else candidate.weights
        left_out = self.left_out | candidate.left_out
        return RunPersona(rules=candidate.rules, weights=weights, left_out=left_out)

    def has_loss(self, episode_ids: Sequence[str]) -> bool:
        """Whether any of these answers is not what the user wanted."""
        return any(self.losses[id].loss for id in episode_ids if id in self.losses)

    @property
    def episode_ids(self) -> list[str]:
        """The ids of all episodes that the run simulates."""
        return [*self.batch, *self.earlier_batches, *self.holdout]

    @property
    def source_ids(self) -> set[str]:
        """The ids of all episodes whose text the state may hold."""
        recalled = (context.recalled for context in self.episode_contexts.values())
        return {*self.episode_contexts}.union(*recalled)


def apply_update(state: AlignmentState, update: Mapping[str, Any]) -> AlignmentState:
    """Return the state as the graph will hold it after ``update``, each field by its reducer."""
    hints = get_type_hints(AlignmentState, include_extras=True)
    reduced = {name: get_args(hints[name])[-1](state[name], new) for name, new in update.items()}  # type: ignore[literal-required]
    return {**state, **reduced}  # type: ignore[typeddict-item]
