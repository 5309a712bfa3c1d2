"""What clients of OpenAI's chat API send, and what they are sent.

What would only colour an answer (``temperature``, ``stop``, ``max_tokens``, ``tools`` ...) is ignored:
the persona, the settings and the agent's own tools decide. What would give it another form is refused.
"""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

AGENT = "personaagent"
INCOGNITO = "personaagent-incognito"
"""The models that are listed: the agent, and the same remembering nothing of the turn."""
OWNER = "personaagent"

FinishReason = Literal["stop", "length", "content_filter"]


class ChatMessage(BaseModel):
    """A message; of what a client may add, nothing else is read."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class StreamOptions(BaseModel):
    """``include_usage``: the last chunk holds the tokens."""

    include_usage: bool | None = None


class ThreadChoice(BaseModel):
    """Of a request's ``metadata``: the thread on which the conversation goes on."""

    thread_id: UUID | None = None


class TextFormat(BaseModel):
    """The only form of an answer: text."""

    type: Literal["text"]


class ChatRequest(BaseModel):
    """A conversation, whose last message is the question."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    metadata: ThreadChoice | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    response_format: TextFormat | None = None
    tool_choice: Literal["auto", "none"] | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether the last chunk of the stream is to hold the tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)


class Model(BaseModel):
    """A model that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = OWNER


class ModelList(BaseModel):
    """All models that can be asked."""

    object: Literal["list"] = "list"
    data: list[Model]


class TokenUsage(BaseModel):
    """Tokens of all calls of the turn."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class TurnDetails(BaseModel):
    """What our own routes need of a turn: its episode (empty if not remembered), and its warnings."""

    episode_id: str
    warnings: list[str]


class AnswerMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The only choice."""

    index: Literal[0] = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: FinishReason


class Completion(BaseModel):
    """An answer as a whole; ``personaagent`` is ours."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int = Field(description="Seconds since 1970.")
    model: str
    choices: list[Choice]
    usage: TokenUsage
    personaagent: TurnDetails


class ErrorDetails(BaseModel):
    """What went wrong, in one sentence."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """An error in OpenAI's shape."""

    error: ErrorDetails
