"""The words of alignment as types: episode context, loss, operation, candidate, round, result."""

from collections.abc import Iterable
from statistics import fmean
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from personaagent.core.decision import Decision, QuestionKind
from personaagent.core.records import Pair, Profile, Record, Rule, Usage
from personaagent.core.telling import learned
from personaagent.core.weights import Weights

Metric = Literal["label", "number", "rouge", "judge"]
Action = Literal["add", "replace", "remove"]
StoppedBy = Literal[
    "no loss",
    "no improvement",
    "rounds",
    "calls",
    "tokens",
    "seconds",
    "price",
    "labels",
    "conflict",
]
"""``labels``: there are too few. ``conflict``: the user changed the persona, or a label that the run
learned from, meanwhile."""


class EpisodeContext(Record):
    """What the agent has before it when it answers an episode's query again: all but the persona.

    ``wanted`` is what the user wanted of the episode when the context was built. ``hidden`` holds
    the ids of episodes that the agent must not see: at least that of the episode itself.
    ``recalled`` holds the ids of those that it recalls for the query, best first. ``choice`` is
    what the query asks to choose from, if it asks for the bare choice; ``open`` whether it is known to
    be an open question.
    """

    wanted: str
    hidden: list[str]
    recalled: list[str]
    profile: Profile
    choice: QuestionKind | None = None
    open: bool = False

    @field_validator("choice", mode="before")
    @classmethod
    def _of_earlier_versions(cls, choice: object) -> object:
        """Earlier versions noted only whether it is a choice among labels or numbers."""
        return {True: "labels", False: None}[choice] if isinstance(choice, bool) else choice


class SimulatedAnswer(Record):
    """An answer, or the reason why there is none (``error``); ``cached`` ones cost nothing.

    ``decision`` says what the sources say of a closed question, by the default weights.
    """

    answer: str | None = None
    decision: Decision | None = None
    error: str = ""
    usage: Usage = Usage()
    cached: bool = False


class Loss(Record):
    """The loss of one episode: how far the simulated answer is from what the user wanted.

    ``score`` lies in [0, 1], 1 where the simulated answer is what the user wanted, by the task's
    ``metric``; None where nothing usable was simulated or judged (*unscored*: never right).
    """

    episode: str
    metric: Metric
    score: float | None = Field(ge=0, le=1)
    expected: str
    simulated: str
    why: str = ""

    @property
    def loss(self) -> float | None:
        """1 - score."""
        return None if self.score is None else 1 - self.score


class Point(Record):
    """One change that a gradient asks for, and the ids of the episodes that show the need."""

    text: str
    evidence: list[str]


class Operation(Record):
    """One edit of one rule. ``rule`` is its id (empty for ``add``), ``text`` the new text."""

    action: Action
    rule: str = ""
    text: str = ""
    evidence: list[str] = Field(default_factory=list)


class Candidate(Record):
    """A persona that may become the next: its rules, and the operations that lead there.

    Under ``paper`` there are no operations: the whole persona is rewritten. ``weights`` are all those
    of a candidate that weighs differently; None for one that differs in its rules. ``left_out`` are, by
    episode, the weights that were fitted without its label, where they were fitted on labels.
    """

    rules: list[Rule]
    operations: list[Operation] = Field(default_factory=list)
    weights: list[Weights] | None = None
    left_out: dict[str, Weights] = Field(default_factory=dict)


class Round(Record):
    """One round: losses by episode id (None: unscored) before and after, and the verdict.

    ``after`` is of the best candidate tried, whether ``accepted`` or not; empty where none was.
    """

    losses_before: dict[str, float | None]
    losses_after: dict[str, float | None] = Field(default_factory=dict)
    holdout_before: dict[str, float | None] = Field(default_factory=dict)
    holdout_after: dict[str, float | None] = Field(default_factory=dict)
    gradient: str = ""
    edits: list[Operation] = Field(default_factory=list)
    weights: list[Weights] | None = None
    accepted: bool = False
    reason: str = ""


class Alignment(Record):
    """The result of a run of alignment.

    ``to_version`` equals ``from_version`` where nothing was published; ``rules_after`` and
    ``weights_after`` are then what would have been (a dry run, a refusal, a conflict), or those
    before. ``usage`` is ``{llm_calls, input_tokens, output_tokens, by_role, cached, gate}``: ``cached``
    counts the simulations that came from the cache, ``gate`` is the part of the total that proving
    took (held-out simulations of the current persona, all simulations of candidates). ``refused`` has a
    line for each edit that was not taken, the latest last: what it was, and why not.
    """

    user_id: str
    mode: str
    rounds: list[Round]
    from_version: int
    to_version: int
    stopped_by: StoppedBy
    rules_before: list[Rule]
    rules_after: list[Rule]
    weights_before: list[Weights] = Field(default_factory=list)
    weights_after: list[Weights] = Field(default_factory=list)
    pairs: list[Pair] = Field(default_factory=list)
    usage: dict[str, Any]
    seconds: float
    refused: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)


def learned_sentence(result: Alignment) -> str:
    """What the run learned, in one sentence for the user."""
    weights = [each for each in result.weights_after if each not in result.weights_before]
    return learned(result.rules_before, result.rules_after, result.pairs, weights)


class ShownEpisode(Record):
    """An episode as its user sees it: what they asked, and what they wanted."""

    episode: str
    query: str
    wanted: str


class RuleChange(Record):
    """One rule that would change: ``before`` is empty where it is added, ``after`` where removed."""

    action: Action
    rule: str
    before: str = ""
    after: str = ""
    evidence: list[ShownEpisode] = Field(default_factory=list)


class ShownPair(Pair):
    """A pair with the question that it is about, and what the user wanted."""

    query: str
    wanted: str


class Proposal(Record):
    """The value of the interrupt in ``publish`` if the user must approve.

    ``problem`` says what was wrong with the last answer, if the question is repeated.
    """

    question: str = "Publish these rules?"
    answers: str = (
        "true, false, or your own rules: "
        '{"decision": "edit", "rules": [{"id": "r4", "text": "..."}, {"text": "a new rule"}]}'
    )
    problem: str = ""
    from_version: int
    changes: list[RuleChange]
    rules_before: list[Rule]
    rules_after: list[Rule]
    weights_before: list[Weights] = Field(default_factory=list)
    weights_after: list[Weights] = Field(default_factory=list)
    pairs: list[ShownPair]


class OwnRule(Record):
    """A rule as the user wants it: one of the proposal by its ``id``, or a new one without an id."""

    id: str | None = None
    text: str
    locked: bool | None = None


class ProposalDecision(Record):
    """The user's answer to a proposal; ``rules`` are all that the persona is to have, for ``edit``."""

    decision: Literal["approve", "edit", "refuse"]
    rules: list[OwnRule] = Field(default_factory=list, max_length=100)

    @model_validator(mode="after")
    def _edits(self) -> Self:
        if self.decision == "edit" and "rules" not in self.model_fields_set:
            raise ValueError("an edit needs rules: all that the persona is to have")
        return self


def mean_loss(losses: Iterable[float | None]) -> float | None:
    """The mean of the losses that are not None; None if there is none."""
    scored = [loss for loss in losses if loss is not None]
    return fmean(scored) if scored else None
