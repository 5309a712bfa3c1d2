"""The four places in which methods of alignment differ, as protocols."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from personaagent.core.alignment import Candidate, Loss, Point
from personaagent.core.alignment_state import Plan
from personaagent.core.records import Usage
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
        plan: Plan,
        memory: UserMemory,
        last_losses: dict[str, float],
    ) -> list[str]:
        """The ids of at most ``n`` episodes of ``pool`` (newest first), best first.

        ``last_losses`` are those that earlier rounds and runs have left.
        """
        ...


@dataclass(frozen=True)
class Gradient:
    """How the persona should change: in words, point by point; and what it took to say so."""

    text: str
    points: list[Point]
    usage: Usage = field(default_factory=Usage)


class Critic(Protocol):
    """Turns losses into a textual gradient."""

    async def critique(self, case: CritiqueInput) -> Gradient:
        """The gradient of the batch; an empty text where the critic gave nothing usable.

        Raises:
            ServiceError, ConfigurationError: the critic model cannot be asked.
        """
        ...


@dataclass(frozen=True)
class Proposed:
    """Candidates, what was refused and why (a line each), and what it took."""

    candidates: list[Candidate]
    refused: list[str]
    usage: Usage


class Editor(Protocol):
    """Turns the gradient into candidates."""

    async def propose(self, case: CritiqueInput, gradient: Gradient) -> Proposed:
        """Candidates for the next persona; none where the editor gave nothing usable.

        Raises:
            ServiceError, ConfigurationError: the editor model cannot be asked.
        """
        ...


@dataclass(frozen=True)
class Verdict:
    """What acceptance found.

    ``best`` is the candidate that did best, ``after`` its losses by episode id; ``accepted`` says
    whether it is taken, ``reason`` why, in words. ``refused`` has a line for each that is not.
    """

    best: Candidate | None
    accepted: bool
    reason: str
    after: dict[str, Loss] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cached: int = 0


class Gate(Protocol):
    """Decides which candidate, if any, becomes the persona."""

    needs_holdout: bool
    """Whether episodes are to be held out for it, and perfect batches end the run."""

    async def judge(
        self,
        candidates: Sequence[Candidate],
        *,
        batch: Sequence[str],
        holdout: Sequence[str],
        seen: Sequence[str],
        before: dict[str, Loss],
        trial: Evaluator,
    ) -> Verdict:
        """The verdict on the candidates.

        ``batch``, ``holdout`` and ``seen`` (batches of earlier rounds) are ids of episodes,
        ``before`` the losses under the rules so far.
        """
        ...
