"""The chat model of the embedded engine, which works on one request at a time."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from personaagent.models.endpoint_model import EndpointModel
from personaagent.models.waiting_line import WaitingLine, is_in_background


class EmbeddedModel(EndpointModel):
    """An endpoint on this machine: what a person waits for goes before work in the background."""

    line: WaitingLine = Field(default_factory=WaitingLine, exclude=True, repr=False)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        ask = partial(super()._agenerate, messages, stop, run_manager, **kwargs)
        if is_in_background():
            return await self.line.last(ask)
        async with self.line.first():
            return await ask()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        ask = partial(super()._astream, messages, stop, run_manager, **kwargs)

        async def whole() -> list[ChatGenerationChunk]:
            return [chunk async for chunk in ask()]

        if is_in_background():  # nobody looks on, and half an answer cannot be asked for again
            for chunk in await self.line.last(whole):
                yield chunk
            return
        async with self.line.first():
            async for chunk in ask():
                yield chunk
