"""A chat model at an endpoint, asked in the way that the endpoint takes."""

from collections.abc import AsyncIterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from personaagent.models.endpoint_memory import EndpointMemory
from personaagent.models.reading_chat import ReadingChat
from personaagent.models.refusals import (
    BEGINNING,
    STREAM,
    TOOLS,
    TOOLS_NOW,
    left_out,
    refused_part,
    without,
)
from personaagent.models.whole_reply import whole_reply

LEFT_OUT = "left_out"
"""Argument of a call inside: what this request goes without."""


class EndpointModel(ReadingChat):
    """A chat model that leaves out of its requests what the endpoint refuses by name.

    A request that is refused so is sent again without that part. Once it is answered, ``memory``
    keeps it, so that the next one goes without it from the start. Without ``stream`` an answer comes
    whole; without ``tools`` the model chooses them in JSON (``StructuredToolsModel``), where
    ``finds_tools`` lets it. A ``response_format`` is never left out here: who asks for one knows
    what to do without.
    """

    name: str | None = "ChatOpenAI"
    """Its name in traces, where it has had no other."""
    memory: EndpointMemory = Field(default_factory=EndpointMemory, exclude=True, repr=False)
    finds_tools: bool = False

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        parts = kwargs.pop(LEFT_OUT, self._known())
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        return without(payload, parts)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        parts = kwargs.pop(LEFT_OUT, self._known())
        while True:
            if _chooses(parts, kwargs):
                return await whole_reply(self._choosing(messages, stop, parts, **kwargs))
            try:
                result = await super()._agenerate(
                    messages, stop, run_manager, **kwargs, **{LEFT_OUT: parts}
                )
            except Exception as error:
                parts = self._parts_after(error, parts, messages, stop, kwargs)
            else:
                await self._keep(parts)
                return result

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        parts, begun = kwargs.pop(LEFT_OUT, self._known()), False
        while not begun:
            try:
                async for chunk in self._attempt(messages, stop, run_manager, parts, **kwargs):
                    if not begun:
                        await self._keep(parts)
                    begun = True
                    yield chunk
                return
            except Exception as error:
                if begun:
                    raise
                streamed = kwargs | {STREAM: True, "stream_options": {}}
                parts = self._parts_after(error, parts, messages, stop, streamed)

    def _attempt(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: AsyncCallbackManagerForLLMRun | None,
        parts: frozenset[str],
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        """One request, with tools as the endpoint takes them."""
        if _chooses(parts, kwargs):
            return self._choosing(messages, stop, parts, **kwargs)
        kwargs[LEFT_OUT] = parts
        return super()._astream(messages, stop, run_manager, **kwargs)

    async def _choosing(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        parts: frozenset[str],
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        """The same with tools chosen in JSON."""
        from personaagent.models.structured_tools import StructuredToolsModel

        plain = self.model_copy(update={"logprobs": None, "top_logprobs": None})
        choosing = StructuredToolsModel(model=plain, answering=self)
        functions = [tool["function"] for tool in kwargs.pop("tools")]
        kwargs.pop("tool_choice", None)
        kwargs.pop("parallel_tool_calls", None)
        async for chunk in choosing._astream(messages, stop, tools=functions, **kwargs):
            await self._keep(parts)
            yield chunk

    def _only_ends_reasoning(self) -> bool:
        return BEGINNING in self._known()

    async def _note_only_ends_reasoning(self) -> None:
        await self._keep(frozenset({BEGINNING}))

    def _known(self) -> frozenset[str]:
        known = self.memory.left_out(str(self.openai_api_base), self.model_name)
        return known if self.finds_tools else known - {TOOLS}

    async def _keep(self, parts: frozenset[str]) -> None:
        await self.memory.keep(str(self.openai_api_base), self.model_name, parts - {TOOLS_NOW})

    def _parts_after(
        self,
        error: Exception,
        parts: frozenset[str],
        messages: list[BaseMessage],
        stop: list[str] | None,
        options: dict[str, Any],
    ) -> frozenset[str]:
        """``parts`` and the one that ``error`` refuses; raises ``error`` if it refuses none."""
        options = {name: value for name, value in options.items() if name != "reasoning"}
        sent = self._get_request_payload(messages, stop=stop, **options, **{LEFT_OUT: parts})
        refused = refused_part(error, sent)
        if refused is None or refused == "response_format":
            raise error
        if refused in (TOOLS, TOOLS_NOW) and not self.finds_tools:
            raise error
        more = parts | {left_out(refused, sent)}
        if more == parts:
            raise error
        return more


def _chooses(parts: frozenset[str], options: dict[str, Any]) -> bool:
    """Whether tools are to be chosen in JSON."""
    return bool(parts & {TOOLS, TOOLS_NOW}) and bool(options.get("tools"))
