"""State and context of the alignment graph. JSON-like throughout; each field has its reducer."""

from typing import Annotated, Any, Literal, TypeVar, get_args
from uuid import NAMESPACE_OID, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict  # typing's own has no JSON schema before Python 3.12

from personaagent.core.errors import UsageError
from personaagent.core.records import Record, Usage
from personaagent.core.settings import Mode, Sampling, Settings
from personaagent.core.users import check_user_id, user_key

T = TypeVar("T")
Limit = Literal["calls", "tokens", "seconds", "price"]
LIMITS: tuple[Limit, ...] = get_args(Limit)
LABELS_TRIGGER = "labels"
"""The trigger of a run that a server starts by itself because there are enough new labels."""
NIGHTLY_TRIGGER = "nightly"
"""The trigger of a run that a server starts at night; it ends at once if nothing is new."""
AUTOMATIC_TRIGGERS = (LABELS_TRIGGER, NIGHTLY_TRIGGER)

THREAD_UUID_VERSION = 8
"""Version of the UUIDs of alignment threads (RFC 9562: custom), which no client makes by chance."""


def alignment_thread(user_id: str) -> str:
    """The id of the user's alignment thread; a UUID, since servers require one."""
    digits = uuid5(NAMESPACE_OID, f"alignment:{user_key(user_id)}").hex
    return str(UUID(f"{digits[:12]}{THREAD_UUID_VERSION}{digits[13:]}"))


class AlignmentContext(BaseModel):
    """What a caller asks of a run of alignment; None means the value of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Annotated[str, Field(description="Whose persona: 1 to 128 characters.")] = ""
    mode: Annotated[Mode, Field(description="gated, or the paper's Algorithm 1.")] = "gated"
    sampling: Annotated[Sampling | None, Field(description="Which episodes make the batch.")] = None
    query: Annotated[
        str, Field(description="What the batch is to be similar to, where sampling is similar.")
    ] = ""
    batch: Annotated[int | None, Field(ge=1, le=32, description="n, episodes in the batch.")] = None
    holdout: Annotated[int | None, Field(ge=2, le=64, description="m, held-out episodes.")] = None
    rounds: Annotated[int | None, Field(ge=1, le=50, description="Rounds (epochs), at most.")] = (
        None
    )
    candidates: Annotated[
        int | None, Field(ge=1, le=8, description="Alternative edits in a round.")
    ] = None
    seed: Annotated[int, Field(description="Decides what is shuffled.")] = 0
    tools: Annotated[bool | None, Field(description="Let simulations use the tools.")] = None
    causal: Annotated[
        bool | None, Field(description="Hide from a simulation what came after its episode.")
    ] = None
    calls: Annotated[int | None, Field(ge=0, description="Model calls, at most; 0: any.")] = None
    tokens: Annotated[int | None, Field(ge=0, description="Tokens, at most; 0: any.")] = None
    seconds: Annotated[float | None, Field(ge=0, description="Seconds, at most; 0: any.")] = None
    price: Annotated[float | None, Field(ge=0, description="Price, at most; 0: any.")] = None
    dry_run: Annotated[bool, Field(description="Publish nothing.")] = False
    approve: Annotated[bool, Field(description="Ask before publishing (an interrupt).")] = False

    @field_validator("user_id")
    @classmethod
    def _valid_user(cls, user_id: str) -> str:
        return check_user_id(user_id)


class AlignmentPlan(Record):
    """The options of a run. They stay the same until it ends, even if it is killed in between."""

    run: str
    trigger: str
    started_at: str
    mode: Mode
    sampling: Sampling
    query: str
    batch: int
    holdout: int
    rounds: int
    candidates: int
    seed: int
    tools: bool
    causal: bool
    calls: int
    tokens: int
    seconds: float
    price: float
    dry_run: bool
    approve: bool
    generation: str = ""
    """Of the user's memory, in which the run began; empty for one that an earlier version began."""

    @classmethod
    def of(
        cls, context: AlignmentContext, settings: Settings, *, run: str, trigger: str, at: str
    ) -> "AlignmentPlan":
        """The plan of a run: the options of the context, and those of the settings for the rest.

        The context can lower the limits of the settings, not raise them, and cannot switch off the
        approval that the settings require.

        Raises:
            UsageError: the sampling is ``similar`` without a query, or a price is limited and no
                token has one.
        """
        options = context.model_dump(exclude={"user_id"}, exclude_none=True)
        identity = {"run": run, "trigger": trigger, "started_at": at, "generation": ""}
        unset = cls.model_fields.keys() - options.keys() - identity.keys()
        defaults = {name: getattr(settings, f"align_{name}") for name in unset}
        plan = cls.model_validate(defaults | options | identity).clamped_to(settings)
        plan._check(settings)
        return plan

    def _check(self, settings: Settings) -> None:
        if self.sampling == "similar" and not self.query.strip():
            raise UsageError("Say what the batch is to be similar to: give a query.")
        has_price = settings.price_input or settings.price_output
        if not has_price and (self.price or settings.align_daily_price):
            raise UsageError(
                "The price is limited, but no token has a price: set PERSONAAGENT_PRICE_INPUT and "
                "PERSONAAGENT_PRICE_OUTPUT, each for a million tokens."
            )

    def clamped_to(self, settings: Settings) -> "AlignmentPlan":
        """This plan within the limits of the settings, and with approval if they require it.

        On a server the owner of a thread may write anything into its state, also into the plan.
        """
        limits: dict[str, float] = {
            limit: _lower(getattr(self, limit), getattr(settings, f"align_{limit}"))
            for limit in LIMITS
        }
        asked = self.approve or settings.approval == "ask"
        return self.model_copy(update={**limits, "approve": asked})


def _lower(*limits: float) -> float:
    """The lowest limit; a value that is not above 0 means no limit."""
    return min((limit for limit in limits if limit > 0), default=0)


def replace(_: T, new: T) -> T:
    """Reducer: the newest value."""
    return new


def merge(old: dict[str, Any], new: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer: merge the dictionaries of parallel branches; None resets."""
    return {} if new is None else old | new


def spend(old: dict[str, Any], new: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer: add calls and tokens, role by role; None resets."""
    if new is None:
        return Usage().stored()
    return (Usage.model_validate(old) + Usage.model_validate(new)).stored()


def count(old: int, new: int | None) -> int:
    """Reducer: add numbers; None resets."""
    return 0 if new is None else old + new


Ids = list[str]
Json = dict[str, Any]


class AlignmentState(TypedDict):
    """State of a user's alignment; the thread keeps it from run to run."""

    trigger: Annotated[
        str, Field(description="Who asks for a run; sample clears it when it begins one."), replace
    ]
    plan: Annotated[Json, Field(description="The options of this run."), replace]
    from_version: Annotated[int, Field(description="The version the run started from."), replace]
    initial_rules: Annotated[list[Json], Field(description="Its rules."), replace]
    rules: Annotated[list[Json], Field(description="The best rules so far."), replace]
    accepted_history: Annotated[
        list[list[Json]],
        Field(description="The rules of each accepted candidate, in order."),
        replace,
    ]
    initial_weights: Annotated[list[Json], Field(description="Its weights."), replace]
    weights: Annotated[list[Json], Field(description="The best weights so far."), replace]
    accepted_weights: Annotated[
        list[list[Json]],
        Field(description="The weights of each accepted candidate, in order."),
        replace,
    ]
    accepted_left_out: Annotated[
        list[dict[str, Json]],
        Field(description="Of each: by episode, the weights that were fitted without its label."),
        replace,
    ]
    round: Annotated[int, Field(description="Which round this is, from 1."), replace]
    stale_rounds: Annotated[
        int, Field(description="Rounds in a row without an accepted edit."), replace
    ]
    batch: Annotated[Ids, Field(description="Episodes that the persona learns from."), replace]
    holdout: Annotated[Ids, Field(description="Episodes on which it is proved."), replace]
    earlier_batches: Annotated[
        Ids, Field(description="Episodes of earlier batches of the run."), replace
    ]
    episode_contexts: Annotated[
        Json,
        Field(description="By episode: what the agent recalls, and the profile."),
        replace,
    ]
    simulated: Annotated[
        Json, Field(description="By episode: the answer under the rules so far."), merge
    ]
    losses: Annotated[
        Json, Field(description="By episode: the loss under the rules so far."), merge
    ]
    last_losses: Annotated[
        Json,
        Field(description="By episode: the last loss, in numbers, also of earlier runs."),
        replace,
    ]
    gradient: Annotated[str, Field(description="How the persona should change."), replace]
    points: Annotated[list[Json], Field(description="What it asks for, one by one."), replace]
    candidates: Annotated[list[Json], Field(description="The proposals of update."), replace]
    refused: Annotated[
        list[str], Field(description="Edits tried or refused in this run, and why."), replace
    ]
    rounds: Annotated[list[Json], Field(description="The result of each round."), replace]
    usage: Annotated[Json, Field(description="Calls and tokens, by role."), spend]
    gate_usage: Annotated[Json, Field(description="The part that proving took."), spend]
    cached: Annotated[int, Field(description="Simulations that were not paid for again."), count]
    stopped_by: Annotated[
        str, Field(description="What ended the run; empty while it runs."), replace
    ]
    warnings: Annotated[list[str], Field(description="What the user should know."), replace]
    result: Annotated[Json, Field(description="The result of the last run that ended."), replace]


class Branch(TypedDict):
    """The input of one branch of simulate: an episode, its context, and the rules to answer by."""

    episode: Annotated[str, Field(description="Whose query is answered again.")]
    episode_context: Annotated[Json, Field(description="What the agent recalls for it.")]
    rules: Annotated[list[Json], Field(description="The rules so far.")]
    weights: Annotated[list[Json], Field(description="The weights so far.")]
    held_out: Annotated[bool, Field(description="Whether it is for the gate, not for learning.")]
    plan: Annotated[Json, Field(description="The options of the run.")]
    usage: Annotated[Json, Field(description="Calls and tokens so far.")]


class AlignmentInput(TypedDict):
    """What a run is started with."""

    trigger: Annotated[str, Field(description="Who asks for a run: a name for the record.")]
