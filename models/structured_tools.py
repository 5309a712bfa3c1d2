"""Tool calls for models that cannot call tools: a choice forced into a grammar, then an answer."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCallChunk,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from personaagent.core.text import shorten
from personaagent.models.choice_examples import SHOWN
from personaagent.models.plain_messages import plain, used_this_turn
from personaagent.models.usage import LLM_CALLS
from personaagent.prompts import render

ANSWER = "answer"
CHOICE_TOKENS = 400
"""More than the grammar can fill; ends the talk of a model that is not held by one."""

LATEST_MESSAGES = 3
LATEST_CHARS = 600
"""What a choice sees of the conversation: its last messages, each so far."""

MAX_LENGTH = 120
"""Characters of a string argument; unbounded, a small model writes on to its token limit."""

OURS: RunnableConfig = {"callbacks": []}
"""The calls inside are not the caller's to see: its callbacks get the tokens of the whole."""


class StructuredToolsModel(BaseChatModel):
    """``model`` with tools that need no tool calling: callers see ordinary tool calls.

    With tools bound a call is first a choice, one line of JSON in a grammar of the tools and
    "answer"; then, where nothing is to be looked up, the answer itself, streamed. The choice has
    a short prompt of its own, the same every time, which the endpoint keeps in its cache: a small
    model that reads the whole prompt of the answer first chooses badly (docs/tool-choice.md).
    A tool is offered once a turn: small models call it again and again. A choice that is no JSON
    (an endpoint without grammars) means to answer. ``response_metadata["llm_calls"]`` says how
    many calls it took.
    """

    model: BaseChatModel

    @property
    def _llm_type(self) -> str:
        return "structured-tools"

    @property
    def max_retries(self) -> int | None:
        """Retries of the client inside."""
        return getattr(self.model, "max_retries", None)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with ``tools`` to choose from."""
        functions = [convert_to_openai_tool(tool)["function"] for tool in tools]
        return self.bind(tools=functions, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("Everything here is async: call ainvoke or astream.")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if kwargs.get("tools"):
            return await agenerate_from_stream(self._astream(messages, stop, **kwargs))
        answer = await self.model.ainvoke(plain(messages), OURS, stop=stop, **kwargs)
        return ChatResult(generations=[ChatGeneration(message=answer)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        *,
        tools: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        told = plain(messages)
        offered = [tool for tool in tools if tool["name"] not in used_this_turn(messages)]
        if offered:
            choice = await self._choose(told, offered)
            yield ChatGenerationChunk(message=choice)
            if choice.tool_call_chunks:
                return
        async for chunk in self.model.astream(told, OURS, stop=stop, **kwargs):
            # one id for the whole: the caller's run gives it
            yield ChatGenerationChunk(message=chunk.model_copy(update={"id": None}))

    async def _choose(
        self, told: list[BaseMessage], offered: list[dict[str, Any]]
    ) -> AIMessageChunk:
        """The tool call chosen, or no content at all for an answer, with what the choice cost."""
        import openai

        question = [
            SystemMessage(render("choose_tool", actions="\n".join(map(_line, offered)))),
            *_examples({tool["name"] for tool in offered}),
            *_latest(told),
        ]
        try:
            reply = await self.model.ainvoke(
                question,
                OURS,
                response_format=_grammar(offered),
                max_tokens=CHOICE_TOKENS,
                stream=False,
            )
        except openai.LengthFinishReasonError:  # no grammar, and it talks
            return AIMessageChunk(content="", response_metadata={LLM_CALLS: 2})
        call = _read(reply.text, {tool["name"] for tool in offered})
        return AIMessageChunk(
            content="",
            tool_call_chunks=[call] if call else [],
            usage_metadata=reply.usage_metadata,
            response_metadata={LLM_CALLS: 1 if call else 2},
        )


def _examples(offered: set[str]) -> list[BaseMessage]:
    """Earlier choices, as turns of the conversation."""
    return [
        turn
        for message, action, arguments in SHOWN
        if action in offered or action == ANSWER
        for turn in (HumanMessage(message), AIMessage(json.dumps({"action": action} | arguments)))
    ]


def _latest(told: list[BaseMessage]) -> list[BaseMessage]:
    talk = [message for message in told if not isinstance(message, SystemMessage)]
    return [
        message.model_copy(update={"content": shorten(message.text, LATEST_CHARS)})
        for message in talk[-LATEST_MESSAGES:]
    ]


def _line(tool: dict[str, Any]) -> str:
    """How the question shows a tool: its name and what it is for."""
    return f"- {tool['name']}: {' '.join(tool.get('description', '').split())}"


def _grammar(offered: list[dict[str, Any]]) -> dict[str, Any]:
    """``response_format`` of one choice: a tool with its required arguments, or to answer."""
    choices = [
        _object({"action": {"const": tool["name"]}} | _arguments(tool["parameters"]))
        for tool in offered
    ]
    choices.append(_object({"action": {"const": ANSWER}}))
    return {
        "type": "json_schema",
        "json_schema": {"name": "choice", "schema": {"anyOf": choices}},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """Those a call cannot do without; the rest keep their defaults."""
    return {
        name: _bounded(schema)
        for name, schema in parameters.get("properties", {}).items()
        if name in parameters.get("required", [])
    }


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") != "string":
        return schema
    return schema | {"maxLength": min(schema.get("maxLength", MAX_LENGTH), MAX_LENGTH)}


def _read(choice: str, offered: set[str]) -> ToolCallChunk | None:
    """The call that ``choice`` makes; None for an answer, and for what was not offered."""
    try:
        arguments = json.loads(choice)
        name = arguments.pop("action")
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
    if name not in offered:
        return None
    return ToolCallChunk(
        type="tool_call_chunk",
        name=name,
        args=json.dumps(arguments),
        id=f"call_{uuid4().hex}",
        index=0,
    )
