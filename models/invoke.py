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
from personaagent.core.prometheus import MODEL_SECONDS, count_failure, count_tokens
from personaagent.core.settings import Role
from personaagent.models.ending import Ending, ending_of
from personaagent.models.endpoint_errors import endpoint_errors
from personaagent.models.metering import metered_call
from personaagent.models.reasoning import without_reasoning
from personaagent.models.reply_reader import REASONED, REASONING, TAKEN_BACK
from personaagent.models.tool_call_parts import new_call_id
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
    reasoning: bool = False,
) -> AIMessage:
    """The model's next message: an answer (in ``response_format``), or calls of ``tools``.

    An answer in a ``response_format`` is never streamed: half of one is of no use to anybody. Nor is
    one that is not ``shown`` as the model gives it. With ``reasoning`` the stream carries the model's
    reasoning (``REASONING``); the message itself never does.
    A call whose arguments are no JSON comes back without arguments, so that the tool itself
    refuses it in words that let the model correct it.

    Raises:
        ConfigurationError: the endpoint refuses the key or knows no such address or model.
        ModelUnavailable: it did not answer, or its answer broke off.
        UnusableAnswer: it answered with nothing that can be used.
        ModelError: it refused the request.
        LimitReached: whoever pays for the call (``metered``) has spent all; nothing was asked.
    """
    options: dict[str, Any] = {}
    if response_format:
        options |= {"response_format": response_format, "stream": False}
    if not shown:
        options |= {"stream": False, "config": {"tags": [NOT_STREAMED]}}
    if reasoning:
        options["reasoning"] = True
    asked = model.bind_tools(tools) if tools else model
    try:
        calls = getattr(model, "calls_with_tools", 1) if tools else 1
        async with metered_call(role, messages, calls) as count:
            with (
                MODEL_SECONDS.labels(role).time(),
                endpoint_errors(role, getattr(model, "max_retries", None) or 0),
            ):
                message = await asked.ainvoke(_sendable(messages), **options)
            usage = usage_of(message)  # counted whatever the answer may be worth
            count(message)
        count_tokens(role, usage.input_tokens, usage.output_tokens)
        return _usable(message, role, tools_offered=bool(tools), in_form=bool(response_format))
    except PersonaAgentError as error:
        count_failure(error)
        raise


def _sendable(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """``messages`` without the reasoning that earlier answers may hold."""
    return [
        message.model_copy(update={"content": without_reasoning(message.text)})
        if isinstance(message, AIMessage)
        else message
        for message in messages
    ]


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help and the client has not done so already."""
    return isinstance(error, ModelUnavailable) and not error.retried


def _usable(
    message: AIMessage, role: Role, *, tools_offered: bool, in_form: bool = False
) -> AIMessage:
    """``message`` as it is kept: an answer without reasoning, and calls of ``tools_offered`` only."""
    calls = message.tool_calls + [
        ToolCall(name=call["name"] or "", args={}, id=call["id"] or new_call_id(), type="tool_call")
        for call in message.invalid_tool_calls
    ]
    calls = calls if tools_offered else []
    text = _answer(message)
    _check_ending(ending_of(message), role, has_answer=bool(calls or text.strip()), in_form=in_form)
    if not calls and not text.strip():
        reasoned = message.response_metadata.get(REASONED) or message.text.strip()
        gave = "reasoned, but gave no answer" if reasoned else "gave an empty answer"
        raise UnusableAnswer(
            f"The {role} model {gave}; try again or set another model.", empty=True
        )
    more = {
        key: value
        for key, value in message.additional_kwargs.items()
        if key not in (REASONING, TAKEN_BACK)
    }
    return message.model_copy(
        update={
            "content": text,
            "tool_calls": calls,
            "invalid_tool_calls": [],
            "additional_kwargs": more,
        }
    )


def _answer(message: AIMessage) -> str:
    """The text of ``message`` without what was taken back, and without reasoning."""
    text = message.text[message.additional_kwargs.get(TAKEN_BACK, 0) :]
    is_read = (
        REASONED in message.response_metadata
    )  # by ``ReplyReader``: a tag left is a quoted one
    return text if is_read else without_reasoning(text)


def _check_ending(ending: Ending, role: Role, *, has_answer: bool, in_form: bool) -> None:
    if ending == "broken":
        raise ModelUnavailable(
            f"The {role} model's answer broke off before its end; try again.", retried=False
        )
    if ending == "length" and (in_form or not has_answer):
        raise UnusableAnswer(
            f"The {role} model's answer was cut off at its token limit"
            + (
                "."
                if has_answer
                else " before it began: a model that reasons may need more tokens."
            )
        )
    if ending == "filtered" and (in_form or not has_answer):
        raise UnusableAnswer(
            f"The endpoint's content filter withheld the {role} model's answer; "
            "ask in other words or set another model."
        )
