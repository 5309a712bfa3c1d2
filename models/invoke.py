"""The single way to call a chat model.

The openai client tries again by itself (connection, time-out, 408, 409, 429, 5xx; it honours
Retry-After) until an answer has begun. An answer that breaks off midway is left to the
caller: ``is_transient`` is made for LangGraph's ``RetryPolicy(retry_on=...)``.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.tools import BaseTool

from personaagent.core.errors import ModelUnavailable, PersonaAgentError, UnusableAnswer
from personaagent.core.prometheus import count_failure, count_tokens
from personaagent.core.settings import Role
from personaagent.models.endpoint_errors import endpoint_errors
from personaagent.models.usage import usage_of

NOT_STREAMED = "nostream"
"""LangGraph streams no message of a call that has this tag."""


async def invoke_model(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    *,
    role: Role,
    tools: Sequence[BaseTool] | None = None,
    response_format: dict[str, Any] | None = None,
    shown: bool = True,
) -> AIMessage:
    """The model's next message: an answer (in ``response_format``), or calls of ``tools``.

    An answer in a ``response_format`` is never streamed: half of one is of no use to anybody. Nor is
    one that is not ``shown`` as the model gives it.
    A call whose arguments are no JSON comes back without arguments, so that the tool itself
    refuses it in words that let the model correct it.

    Raises:
        ConfigurationError: the endpoint refuses the key or knows no such address or model.
        ModelUnavailable: it did not answer, or its answer broke off.
        UnusableAnswer: it answered with nothing that can be used.
        ModelError: it refused the request.
    """
    options: dict[str, Any] = {}
    if response_format:
        options = {"response_format": response_format, "stream": False}
    if not shown:
        options = {"stream": False, "config": {"tags": [NOT_STREAMED]}}
    asked = model.bind_tools(tools) if tools else model
    try:
        with endpoint_errors(role, getattr(model, "max_retries", None) or 0):
            message = await asked.ainvoke(list(messages), **options)
        usage = usage_of(message)  # counted whatever the answer may be worth
        count_tokens(role, usage.input_tokens, usage.output_tokens)
        return _usable(message, role, tools_offered=bool(tools))
    except PersonaAgentError as error:
        count_failure(error)
        raise


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help and the client has not done so already."""
    return isinstance(error, ModelUnavailable) and not error.retried


def _usable(message: AIMessage, role: Role, *, tools_offered: bool) -> AIMessage:
    """``message`` with valid tool calls only; none where no tools were offered."""
    calls = message.tool_calls + [
        ToolCall(name=call["name"] or "", args={}, id=call["id"], type="tool_call")
        for call in message.invalid_tool_calls
    ]
    calls = calls if tools_offered else []
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
