"""The four places in which strategies of alignment differ, as protocols."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from personaagent.core.alignment import Candidate, Loss, Point
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentPlan
from personaagent.core.records import Pair, Rule, Usage
from personaagent.core.weights import Weights
from personaagent.memory.profile import LabelledAt
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.critique_input import CritiqueInput
from personaagent.nodes.alignment.evaluator import Evaluator


class Sampler(Protocol):
    """Chooses the batch."""

    async def pick(
        self,
        pool: Sequence[LabelledAt],
        n: int,
        *,
        plan: AlignmentPlan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """The ids of at most ``n`` episodes of ``pool`` (newest first), best first.

        ``last_losses`` holds the last loss of each episode, from earlier rounds and runs.
        """
        ...


@dataclass(frozen=True)
class Gradient:
    """How the persona should change: in words, and point by point; ``usage`` is what it cost."""

    text: str
    points: list[Point]
    usage: Usage = field(default_factory=Usage)


class Critic(Protocol):
    """Turns losses into a textual gradient."""

    async def critique(self, critique_input: CritiqueInput) -> Gradient:
        """The gradient of the batch; its text is empty if the critic gave nothing usable.

        Raises:
            ServiceError, ConfigurationError: the critic model cannot be asked.
        """
        ...


@dataclass(frozen=True)
class Proposed:
    """Candidates; a line for each edit that was refused, with the reason; and what it all cost."""

    candidates: list[Candidate]
    refused: list[str]
    usage: Usage


class Editor(Protocol):
    """Turns the gradient into candidates."""

    async def propose(self, critique_input: CritiqueInput, gradient: Gradient) -> Proposed:
        """Candidates for the next persona; none if the editor gave nothing usable.

        Raises:
            ServiceError, ConfigurationError: the editor model cannot be asked.
        """
        ...


@dataclass(frozen=True)
class Verdict:
    """What a gate decided in one round.

    ``best`` is the candidate that did best, ``losses_after`` its losses by episode id;
    ``accepted`` says whether it becomes the persona, ``reason`` why. ``refused`` has a line for
    each candidate that does not.
    """

    best: Candidate | None
    accepted: bool
    reason: str
    losses_after: dict[str, Loss] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cached: int = 0


@dataclass(frozen=True)
class FinalPersona:
    """What to publish at the end of a run, the losses that prove it, and what that cost."""

    rules: list[Rule]
    weights: list[Weights]
    pairs: list[Pair] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)


class Gate(Protocol):
    """Decides which candidate, if any, becomes the persona."""

    needs_holdout: bool
    """Whether the gate proves candidates by losses: then episodes are held out for it, a judge is
    paid for, and a batch without loss ends the run."""

    async def decide(self, run: AlignmentRun, evaluator: Evaluator) -> Verdict:
        """Decide on ``run.candidates``; ``run.losses`` are those under the rules so far."""
        ...

    async def final_persona(self, run: AlignmentRun, evaluator: Evaluator) -> FinalPersona:
        """Choose, at the end, among the initial rules and all that were accepted in the run."""
        ...
