"""Tool calls for models that cannot call tools: a choice forced into a grammar, then an answer."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from personaagent.models.flatten_tool_messages import flatten_tool_messages, used_this_turn
from personaagent.models.json_forms import ask_in_json
from personaagent.models.refusals import JSON_SCHEMA
from personaagent.models.tool_choice import (
    choice_format,
    choice_prompt,
    needs_no_choice,
    parse_choice,
)
from personaagent.models.usage import LLM_CALLS
from personaagent.models.whole_reply import whole_reply

CHOICE_TOKENS = 400
"""More than the grammar can fill; stops a model that no grammar holds."""

UNHELD_CHOICE_TOKENS = 4000
"""The same where no grammar holds it: a model may reason before it chooses."""

NO_CALLBACKS: RunnableConfig = {"callbacks": []}
"""Hides the calls inside: the caller's callbacks see one call, with the tokens of all of them."""


class StructuredToolsModel(BaseChatModel):
    """``model`` with tools that need no tool calling: callers see ordinary tool calls.

    With tools bound, a call begins with a choice: one line of JSON, in a grammar of the tools and
    "answer". If the choice is to answer, the answer follows, streamed. The choice has a short
    prompt of its own, which begins in the same way each time, so that the endpoint can cache it: a
    small model that reads the whole prompt of the answer first chooses badly (docs/tool-choice.md).
    It sees the nearest memories of the system prompt (``RECALLED``), and is left out where they tell
    what is asked (``TOLD``). Each tool is offered once
    a turn, since small models call it again and again. An endpoint without grammars is asked for JSON
    in words; a choice that is none counts as "answer". ``response_metadata["llm_calls"]`` is the number
    of calls.
    """

    model: BaseChatModel
    answering: BaseChatModel | None = None
    """What answers, if not ``model``: the same, asked for log-probabilities, which no choice needs."""

    @property
    def calls_with_tools(self) -> int:
        """Calls that one answer takes at most: the choice, and the answer itself."""
        return 2

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
            return await whole_reply(self._astream(messages, stop, **kwargs))
        answer = await (self.answering or self.model).ainvoke(
            flatten_tool_messages(messages), NO_CALLBACKS, stop=stop, **kwargs
        )
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
        plain_messages = flatten_tool_messages(messages)
        offered = [tool for tool in tools if tool["name"] not in used_this_turn(messages)]
        if offered and not needs_no_choice(messages, offered):
            choice = await self._choose(plain_messages, tools, offered)
            yield ChatGenerationChunk(message=choice)
            if choice.tool_call_chunks:
                return
        model = self.answering or self.model
        async for chunk in model.astream(plain_messages, NO_CALLBACKS, stop=stop, **kwargs):
            # the caller's run gives all chunks one id
            yield ChatGenerationChunk(message=chunk.model_copy(update={"id": None}))

    async def _choose(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any]],
        offered: list[dict[str, Any]],
    ) -> AIMessageChunk:
        """The tool call chosen, or an empty message for an answer; with what the choice cost."""
        import openai

        async def ask(prompt: list[BaseMessage], form: dict[str, Any] | None) -> AIMessage:
            options: dict[str, Any] = {"response_format": form} if form else {}
            held = form is not None and form["type"] == JSON_SCHEMA
            limit = CHOICE_TOKENS if held else UNHELD_CHOICE_TOKENS
            return await self.model.ainvoke(
                prompt, NO_CALLBACKS, max_tokens=limit, stream=False, **options
            )

        try:
            replies = await ask_in_json(
                self.model,
                choice_prompt(messages, tools),
                choice_format(offered),
                ask,
                insist=False,
            )
        except openai.LengthFinishReasonError:  # no grammar holds it
            return AIMessageChunk(content="", response_metadata={LLM_CALLS: 2})
        call = parse_choice(replies[-1].text, offered)
        return AIMessageChunk(
            content="",
            tool_call_chunks=[call] if call else [],
            usage_metadata=replies[-1].usage_metadata,
            response_metadata={LLM_CALLS: 1 if call else 2},
        )
