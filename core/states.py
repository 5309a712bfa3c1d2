"""The state of the agent's graph and the context of a run, as JSON-like values."""

from datetime import tzinfo
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.prebuilt.tool_node import ToolRuntime
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from personaagent.core.calendar import check_time_zone, time_zone
from personaagent.core.errors import UsageError
from personaagent.core.possible_answers import check_answers
from personaagent.core.records import Moment
from personaagent.core.settings import Settings
from personaagent.core.text import check_text
from personaagent.core.thread_messages import join_thread
from personaagent.core.users import check_user_id

MOST_RECALLED = 100


class AgentContext(BaseModel):
    """The options of a run of the agent; on a server the caller's identity wins over ``user_id``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Annotated[str, Field(description="Whose memory and persona: 1 to 128 characters.")] = (
        ""
    )
    task: Annotated[str | None, Field(description="Label of the kind of question, if any.")] = None
    top_k: Annotated[
        int | None, Field(description="Episodes to recall, 0 to 100; None: the setting.")
    ] = None
    incognito: Annotated[bool, Field(description="Remember nothing of this turn.")] = False
    hidden: Annotated[
        frozenset[str], Field(description="Ids of episodes that this run must not see.")
    ] = frozenset()
    before: Annotated[
        Moment | None, Field(description="Hide every episode from this moment on.")
    ] = None
    at: Annotated[Moment | None, Field(description="The moment of the question; None: now.")] = None
    answers: Annotated[
        tuple[str, ...], Field(description="The only possible answers; empty: any text.")
    ] = ()
    timezone: Annotated[
        str | None, Field(description="The user's time zone (IANA name); None: the setting.")
    ] = None
    reasoning: Annotated[
        bool, Field(description="Stream the model's reasoning beside its answer.")
    ] = False

    @field_validator("user_id")
    @classmethod
    def _valid_user(cls, user_id: str) -> str:
        return check_user_id(user_id)

    @field_validator("top_k")
    @classmethod
    def _valid_top_k(cls, top_k: int | None) -> int | None:
        if top_k is not None and not 0 <= top_k <= MOST_RECALLED:
            raise UsageError(f"top_k is {top_k}; it can be 0 to {MOST_RECALLED}.")
        return top_k

    @field_validator("task")
    @classmethod
    def _valid_task(cls, task: str | None) -> str | None:
        return None if task is None else check_text(task, "task label", 100)

    @field_validator("answers")
    @classmethod
    def _valid_answers(cls, answers: tuple[str, ...]) -> tuple[str, ...]:
        return check_answers(answers)

    @field_validator("timezone")
    @classmethod
    def _valid_timezone(cls, timezone: str | None) -> str | None:
        try:
            return check_time_zone(timezone)
        except ValueError as error:
            raise UsageError(f"timezone: {error}") from error


class SimulatedContext(AgentContext):
    """The options of a simulated answer: it belongs to no conversation, whatever thread the run has."""

    incognito: bool = True


def zone_of(context: AgentContext | None, settings: Settings) -> tzinfo:
    """The time zone of the user of a run."""
    own = None if context is None else context.timezone
    return settings.zone if own is None else time_zone(own)


def thread_to_note(runtime: Runtime[AgentContext] | ToolRuntime[Any, Any]) -> str | None:
    """The thread whose checkpoints will hold what this run recalls; None if none will.

    A server stores the checkpoints of incognito turns too.
    """
    context, info = runtime.context, runtime.execution_info
    incognito = context is not None and context.incognito and runtime.server_info is None
    if incognito or isinstance(context, SimulatedContext) or info is None:
        return None
    return info.thread_id


Messages = Annotated[
    list[AnyMessage],
    Field(description="The conversation; the last message is the question."),
    join_thread,
]
Json = dict[str, Any]


class AgentInput(TypedDict):
    """What starts a turn."""

    messages: Messages


class AgentState(TypedDict):
    """State of the agent: the conversation, and what the nodes of this turn have added."""

    messages: Messages
    branch: Annotated[
        Json, Field(description="The last remembered turn before this one, and when this began.")
    ]
    episode_id: Annotated[str, Field(description="Id by which this turn will be remembered.")]
    recalled: Annotated[list[Json], Field(description="Recalled episodes, best first.")]
    profile: Annotated[Json, Field(description="Facts and summary of the user.")]
    persona: Annotated[Json, Field(description="The persona used in this turn.")]
    system_prompt: Annotated[str, Field(description="The system prompt of this turn.")]
    question: Annotated[Json | None, Field(description="The closed question, if it is one.")]
    similar: Annotated[
        list[Any], Field(description="The user's labels that are nearest to a closed question.")
    ]
    names: Annotated[
        dict[str, float] | None, Field(description="What the names of the answers say of each.")
    ]
    reply: Annotated[
        Json | None, Field(description="The model's answer, until it has been decided.")
    ]
    chances: Annotated[
        dict[str, float] | None, Field(description="How probable the model found each answer.")
    ]
    decision: Annotated[Json | None, Field(description="How the closed question was decided.")]
    steps: Annotated[int, Field(description="Model calls made in this turn.")]
    usage: Annotated[Json, Field(description="Calls and tokens of this turn, by role.")]
    warnings: Annotated[list[str], Field(description="What the user should know about this turn.")]
