"""The single way to call a chat model, and what its failures are called.

The openai client tries again by itself (connection, time-out, 408, 409, 429, 5xx; it honours
Retry-After) until an answer has begun. An answer that breaks off midway is left to the
caller: ``is_transient`` is made for LangGraph's ``RetryPolicy(retry_on=...)``.
"""

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

import aiohttp
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.tools import BaseTool

from personaagent.core.errors import (
    ConfigurationError,
    ModelError,
    ModelUnavailable,
    PersonaAgentError,
    UnusableAnswer,
)
from personaagent.core.prometheus import count_failure, count_tokens
from personaagent.core.settings import Role
from personaagent.models.connection import timed_out
from personaagent.models.usage import usage_of

if TYPE_CHECKING:
    import openai

RETRY_COUNT = "x-stainless-retry-count"

# What is raised on an answer that is no HTTP, or whose body is no JSON or of another shape.
UNREADABLE = (aiohttp.ClientError, ValueError, LookupError, TypeError, AttributeError)


async def invoke_model(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    *,
    role: Role,
    tools: Sequence[BaseTool] | None = None,
    response_format: dict[str, Any] | None = None,
) -> AIMessage:
    """The model's next message: an answer (in ``response_format``), or calls of ``tools``.

    An answer in a ``response_format`` is never streamed: half of one says nothing to anybody.
    Calls whose arguments are no JSON come back as calls without arguments, for the tool
    itself to refuse in words that let the model mend them.

    Raises:
        ConfigurationError: the endpoint refuses the key or knows no such address or model.
        ModelUnavailable: it did not answer, or its answer broke off.
        UnusableAnswer: it answered with nothing that can be used.
        ModelError: it refused the request.
    """
    form: dict[str, Any] = {}
    if response_format:
        form = {"response_format": response_format, "stream": False}
    speaker = model.bind_tools(tools) if tools else model
    try:
        message = await _said(speaker.ainvoke(list(messages), **form), model, role)
        return _usable(message, role, asked_for_calls=bool(tools))
    except PersonaAgentError as failure:
        count_failure(failure)
        raise


async def _said(answer: Awaitable[AIMessage], model: BaseChatModel, role: Role) -> AIMessage:
    """What the model answers; its tokens are counted, whatever it may be worth."""
    import openai

    try:
        message = await answer
    except (openai.OpenAIError, TimeoutError, *UNREADABLE) as error:
        raise to_our_error(error, role, getattr(model, "max_retries", None) or 0) from error
    usage = usage_of(message)
    count_tokens(role, usage.input_tokens, usage.output_tokens)
    return message


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help and the client has not done so already."""
    return isinstance(error, ModelUnavailable) and not error.retried


def _usable(message: AIMessage, role: Role, *, asked_for_calls: bool) -> AIMessage:
    """``message``, fit to be worked with; calls of tools that were not offered are none."""
    calls = message.tool_calls + [
        ToolCall(name=call["name"] or "", args={}, id=call["id"], type="tool_call")
        for call in message.invalid_tool_calls
    ]
    calls = calls if asked_for_calls else []
    metadata = message.response_metadata
    if metadata.get("model_provider") == "openai" and not metadata.get("finish_reason"):
        raise ModelUnavailable(
            f"The {role} model's answer broke off before its end; try again.", retried=False
        )
    if not calls and not message.text.strip():
        raise UnusableAnswer(
            f"The {role} model gave an empty answer; try again or set another model."
        )
    return message.model_copy(update={"tool_calls": calls, "invalid_tool_calls": []})


def to_our_error(error: Exception, role: str, retries: int) -> PersonaAgentError:
    """``error``, raised in a call of the ``role`` model, as our own; ``retries`` were allowed."""
    import openai

    if isinstance(error, openai.LengthFinishReasonError):
        return UnusableAnswer(f"The {role} model's answer was cut off at its token limit.")
    said = _one_line(getattr(error, "message", error))
    if isinstance(error, ContextOverflowError) or _is_overflow(said):
        return ModelError(f"The prompt is longer than the {role} model's context: {said}")
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return ConfigurationError(
                f"{_address(error)} refused the key (HTTP {error.status_code}): "
                "check OPENAI_API_KEY and OPENAI_BASE_URL."
            )
        case openai.NotFoundError():
            return ConfigurationError(
                f"{_address(error)} knows no such model or address (HTTP 404): "
                f"check the {role} model's name and OPENAI_BASE_URL; it said: {said}"
            )
        case openai.APITimeoutError() if timed_out(error):
            what = "stopped answering for too long"
        case openai.APIConnectionError():
            what = "cannot be reached or broke the connection"
        case openai.APIStatusError() if error.status_code in (408, 409, 429) or (
            error.status_code >= 500
        ):
            what = f"is unavailable or too busy (HTTP {error.status_code}: {said})"
        case openai.APIStatusError():
            return ModelError(
                f"{_address(error)} refused the {role} model's request "
                f"(HTTP {error.status_code}): {said}"
            )
        case openai.APIResponseValidationError():
            return ModelError(f"{_address(error)} gave an answer that cannot be read: {said}")
        case openai.APIError():
            what = f"failed while answering ({said})"
        case TimeoutError():
            return ModelUnavailable(
                f"The {role} model stopped answering midway; try again.", retried=False
            )
        case _:
            return ModelError(
                f"The {role} model's endpoint gave an answer that cannot be read "
                f"({type(error).__name__}: {said}): check OPENAI_BASE_URL."
            )
    return ModelUnavailable(
        f"{_address(error)} {what}; try again later.",
        retried=int(error.request.headers.get(RETRY_COUNT, 0)) >= retries,
    )


def _address(error: "openai.APIError") -> str:
    """Where the request went, without credentials or query."""
    url = error.request.url
    return f"The model endpoint {url.scheme}://{url.netloc.decode()}"


def _one_line(message: Any) -> str:
    line = " ".join(str(message).split())
    return line if len(line) <= 200 else f"{line[:200]}…"


def _is_overflow(message: str) -> bool:
    lower = message.lower()
    return "context" in lower and any(word in lower for word in ("length", "size", "window"))
