"""Tool calls for models that cannot call tools: a choice forced into a grammar, then an answer."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

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
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from personaagent.models.choice import grammar, question, read_choice
from personaagent.models.flatten_tool_messages import flatten_tool_messages, used_this_turn
from personaagent.models.usage import LLM_CALLS

CHOICE_TOKENS = 400
"""More than the grammar can fill; ends the talk of a model that is not held by one."""

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
        answer = await self.model.ainvoke(
            flatten_tool_messages(messages), OURS, stop=stop, **kwargs
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
        told = flatten_tool_messages(messages)
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

        try:
            reply = await self.model.ainvoke(
                question(told, offered),
                OURS,
                response_format=grammar(offered),
                max_tokens=CHOICE_TOKENS,
                stream=False,
            )
        except openai.LengthFinishReasonError:  # no grammar, and it talks
            return AIMessageChunk(content="", response_metadata={LLM_CALLS: 2})
        call = read_choice(reply.text, offered)
        return AIMessageChunk(
            content="",
            tool_call_chunks=[call] if call else [],
            usage_metadata=reply.usage_metadata,
            response_metadata={LLM_CALLS: 1 if call else 2},
        )
