"""The types of what is stored about a user (episodes, profile, persona), and of token usage."""

from datetime import UTC, datetime
from statistics import fmean
from typing import Annotated, Any, Literal, Self
from uuid import uuid4

from pydantic import Field, model_validator

from personaagent.core.errors import CorrectionStands, UsageError
from personaagent.core.record import Moment as Moment
from personaagent.core.record import Record as Record
from personaagent.core.text import shorten
from personaagent.core.weights import Weights

SHOWN_CHARS = 80
MOST_MARKS = 20
"""Questions that an episode is marked as irrelevant to."""
MARK_CHARS = 2000
"""Of such a question as much is kept; that is more than an embedding model reads."""
Signal = Literal["edit", "accept", "reject"]
Author = Literal["initial", "user", "alignment"]
Mark = Annotated[str, Field(min_length=1, max_length=MARK_CHARS)]


def only_signal(*, edit: bool, accept: bool, reject: bool) -> Signal:
    """The one signal that is set.

    Raises:
        UsageError: none is set, or more than one.
    """
    signals: dict[Signal, bool] = {"edit": edit, "accept": accept, "reject": reject}
    chosen: list[Signal] = [signal for signal, is_set in signals.items() if is_set]
    if len(chosen) != 1:
        raise UsageError("Give exactly one of edit (with a text), accept and reject.")
    return chosen[0]


def mark_of(question: str) -> str:
    """What is kept of a question, to know it again."""
    return question.strip()[:MARK_CHARS].strip()


def new_id() -> str:
    """A new episode id: 16 random hex digits, unique within one user's memory."""
    return uuid4().hex[:16]


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class Episode(Record):
    """One interaction of one user (paper: an element of D^u, episodic memory).

    ``ground_truth`` is what the user wanted: the text they put in place of an answer (signal
    ``edit``), or the answer that they accepted (``accept``). After a ``reject`` it is None.
    ``superseded_by`` is the id of a newer episode of the same user that says otherwise: this one
    is kept, shown as superseded, and outranked. ``discarded`` says that the conversation goes on
    without it, because the user edited the message or had it answered again (``memory/branches.py``):
    it is kept, but neither recalled nor counted. ``irrelevant_to`` has questions that the user said
    it did not bear on: it is not recalled for questions like these (``memory/irrelevance.py``).
    """

    id: str = Field(default_factory=new_id, min_length=1, max_length=128)
    user_id: str
    query: str
    response: str
    ground_truth: str | None = None
    signal: Signal | None = None
    task: str | None = None
    created_at: Moment = Field(default_factory=now)
    source: str = "agent"
    superseded_by: str | None = Field(default=None, max_length=128)
    discarded: bool = False
    irrelevant_to: list[Mark] = Field(default_factory=list, max_length=MOST_MARKS)
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _derive_ground_truth(cls, values: Any) -> Any:
        """An accepted answer is its own ground truth; a ground truth without a signal is an edit."""
        if isinstance(values, dict):
            values = dict(values)
            if values.get("signal") == "accept" and values.get("ground_truth") is None:
                values["ground_truth"] = values.get("response")
            elif values.get("signal") is None and values.get("ground_truth") is not None:
                values["signal"] = "edit"
        return values

    @model_validator(mode="after")
    def _check_signal(self) -> Self:
        if self.signal == "reject" and self.ground_truth is not None:
            raise ValueError("signal 'reject' has no ground_truth; give the text as an 'edit'")
        if self.signal == "accept" and self.ground_truth != self.response:
            raise ValueError(
                "signal 'accept' says that the response was right; its ground_truth differs"
            )
        if self.signal == "edit" and self.ground_truth is None:
            raise ValueError("signal 'edit' needs the ground_truth: the text that the user wanted")
        return self

    @property
    def labelled(self) -> bool:
        """Whether the user said what they wanted."""
        return self.ground_truth is not None

    def stored(self) -> dict[str, Any]:
        """The episode as a JSON-like value. ``superseded_by``, ``discarded`` and ``irrelevant_to`` are
        left out where they say nothing: older versions refuse fields that they do not know."""
        values = super().stored()
        if not self.irrelevant_to:
            del values["irrelevant_to"]
        if self.superseded_by is None:
            del values["superseded_by"]
        if not self.discarded:
            del values["discarded"]
        return values

    def with_feedback(
        self, signal: Signal, text: str | None = None, *, force: bool = False
    ) -> "Episode":
        """The episode with the user's feedback; ``text`` is what they wanted, for an ``edit``.

        Only another ``edit`` changes a correction. An ``accept`` accepts it: the episode stays as
        it is. A ``reject`` is refused. With ``force`` both judge the agent's answer, and drop the
        correction. A label on an episode that was superseded makes it stand again.

        Raises:
            CorrectionStands: a ``reject`` would drop a correction.
        """
        corrected = self.signal == "edit" and not force
        if corrected and signal == "reject":
            raise CorrectionStands(
                f'You corrected this answer to "{shorten(self.ground_truth or "", SHOWN_CHARS)}", '
                "and that stays: give another correction, or say force to drop it."
            )
        if corrected and signal == "accept":
            return self
        truth = {"edit": text, "accept": self.response, "reject": None}[signal]
        successor = self.superseded_by if truth is None else None
        changed = {"signal": signal, "ground_truth": truth, "superseded_by": successor}
        return Episode.model_validate(self.model_dump() | changed)


class TaskFacts(Record):
    """What is computed, without a model, from the user's labels of one task.

    Labels that are classes have ``labels`` (label -> count, most frequent first), numbers also have
    ``numbers``, and free text has ``words`` (its length). ``recent`` says how the latest labels
    differ from those before, if they do.
    """

    task: str | None
    count: int
    labels: dict[str, int] = Field(default_factory=dict)
    numbers: dict[str, float] = Field(default_factory=dict)
    words: dict[str, float] = Field(default_factory=dict)
    recent: str | None = None


class Statement(Record):
    """One sentence of the profile, with the ids of the episodes that it rests on, if any.

    ``id`` (s1, s2, ...) is given when the statement is first stored. ``source`` says who wrote the
    text: ``summary`` (the critic, from episodes), ``user``, or what it was imported from.
    ``changed_at`` is when the text was last changed, ``as_of`` is when the newest episode that it
    rests on was created; None for what earlier versions stored.
    """

    id: str = ""
    text: str
    evidence: list[str] = Field(default_factory=list)
    source: str = "summary"
    locked: bool = False
    created_at: Moment | None = None
    changed_at: Moment | None = None
    as_of: Moment | None = None

    @property
    def at(self) -> datetime | None:
        """The time that it holds for: of its newest episode, or else when the user wrote it."""
        return self.as_of if self.evidence else self.changed_at

    @property
    def fixed(self) -> bool:
        """Whether the summary must leave it as it is: the user wrote it, or locked it."""
        return self.locked or self.source == "user"


class Profile(Record):
    """Semantic memory (paper: S^u): facts computed in code, and a summary written by a model."""

    facts: list[TaskFacts] = Field(default_factory=list)
    summary: list[Statement] = Field(default_factory=list)
    summarised_at: Moment | None = None


class Rule(Record):
    """One rule of a persona; ``evidence`` has the ids of the episodes that it rests on."""

    id: str
    text: str
    evidence: list[str] = Field(default_factory=list)
    locked: bool = False


class Pair(Record):
    """The loss of one episode under the persona before, and under the one after.

    ``before_answer`` and ``after_answer`` are the simulated answers. They are emptied when an
    episode is forgotten, because they may repeat something from it.
    """

    episode: str
    part: Literal["batch", "holdout"]
    before: float | None
    after: float | None
    before_answer: str = ""
    after_answer: str = ""


class Proof(Record):
    """Why alignment published a version: pairs of losses on the user's own episodes.

    ``run`` is the id of the run, ``gradient`` the result of its critique.
    """

    run: str
    mode: str
    gradient: str = ""
    pairs: list[Pair] = Field(default_factory=list)

    def losses(self, part: Literal["batch", "holdout"]) -> tuple[float, float] | None:
        """The mean loss before and after, over the pairs of ``part`` that have both; None without any."""
        both = [
            (pair.before, pair.after)
            for pair in self.pairs
            if pair.part == part and pair.before is not None and pair.after is not None
        ]
        if not both:
            return None
        before, after = zip(*both, strict=True)
        return fmean(before), fmean(after)


class Persona(Record):
    """One version of the user's own system prompt (paper: P), as a list of rules.

    Versions count from 1 and are never changed, only added. ``parent`` is the version that it was
    made from, ``proof`` is why alignment published it. ``weights`` say how closed questions of a task
    are decided, where the defaults do not hold for this user.
    """

    version: int = Field(ge=1)
    rules: list[Rule]
    author: Author
    parent: int | None = None
    note: str = ""
    created_at: Moment = Field(default_factory=now)
    proof: Proof | None = None
    weights: list[Weights] = Field(default_factory=list)

    def stored(self) -> dict[str, Any]:
        """The version as a JSON-like value. ``weights`` is left out if empty: older versions refuse
        fields that they do not know."""
        values = super().stored()
        if not self.weights:
            del values["weights"]
        return values

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


class RoleUsage(Record):
    """Model calls and tokens of one role.

    ``cached_input_tokens`` are those of ``input_tokens`` that the endpoint says it had in a cache.
    """

    llm_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = Field(default=0, exclude_if=lambda count: not count)
    """Left out of what is stored where it is 0: older versions refuse fields that they do not know."""

    def __add__(self, other: "RoleUsage") -> "RoleUsage":
        return RoleUsage(
            llm_calls=self.llm_calls + other.llm_calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_input_tokens=self.cached_input_tokens + other.cached_input_tokens,
        )


class Usage(Record):
    """Model calls and tokens of a run, by role."""

    by_role: dict[str, RoleUsage] = Field(default_factory=dict)

    def add(self, role: str, usage: RoleUsage) -> "Usage":
        """These counts plus ``usage`` of ``role``."""
        return Usage(by_role=self.by_role | {role: self.by_role.get(role, RoleUsage()) + usage})

    def __add__(self, other: "Usage") -> "Usage":
        total = self
        for role, usage in other.by_role.items():
            total = total.add(role, usage)
        return total

    def summed(self) -> dict[str, Any]:
        """The totals and the roles: ``{llm_calls, input_tokens, output_tokens, by_role}``, and
        ``cached_input_tokens`` where there are any."""
        total = sum(self.by_role.values(), RoleUsage())
        return total.stored() | {"by_role": {r: u.stored() for r, u in self.by_role.items()}}
