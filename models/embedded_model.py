"""The chat model of the embedded engine, which works on one request at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from personaagent.models.embedded_prefixes import delete, is_kept, keep, new_file
from personaagent.models.endpoint_model import EndpointModel
from personaagent.models.stable_prefix import name_of, stable_prefix
from personaagent.models.usage import usage_of
from personaagent.models.waiting_line import WaitingLine, is_in_background


class EmbeddedModel(EndpointModel):
    """An endpoint on this machine: what a person waits for goes before work in the background.

    What all prompts of a kind begin with (``stable_prefix``) is read before the first of them, and
    its state kept in ``prefixes`` for later starts of the engine.
    """

    line: WaitingLine = Field(default_factory=WaitingLine, exclude=True, repr=False)
    prefixes: Path | None = Field(default=None, exclude=True, repr=False)
    known: set[str] = Field(default_factory=set, exclude=True, repr=False)
    """Names of the prefixes that the engine has read, or found to be kept."""

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
        read = await self._read_prefix(messages)
        async with self.line.first():
            result = await ask()
        for generation in result.generations:
            _count_as_read(generation.message, read)
        return result

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
        read = await self._read_prefix(messages)
        async with self.line.first():
            async for chunk in ask():
                _count_as_read(chunk.message, read)
                yield chunk

    async def _read_prefix(self, messages: Sequence[BaseMessage]) -> int:
        """Let the engine read what ``messages`` begin with, and keep its state, where it has not yet;
        returns how many tokens it read."""
        prefix = stable_prefix(messages)
        if not prefix or self.prefixes is None or (name := name_of(prefix)) in self.known:
            return 0
        try:
            async with self.line.alone():
                return await self._read_and_save(prefix, name, self.prefixes)
        except TimeoutError:  # others are asking: another time
            return 0

    async def _read_and_save(self, prefix: list[BaseMessage], name: str, folder: Path) -> int:
        if name in self.known:
            return 0
        self.known.add(name)
        if await asyncio.to_thread(is_kept, folder, name):
            return 0
        result = await super()._agenerate(prefix, max_tokens=1)
        [generation] = result.generations
        assert isinstance(generation.message, AIMessage)
        used = usage_of(generation.message)
        await self._save_state(folder, name, used.input_tokens)
        return used.input_tokens - used.cached_input_tokens

    async def _save_state(self, folder: Path, name: str, tokens: int) -> None:
        """Save the state of the engine; without it, the next start reads more.

        Not if it holds another number of ``tokens``: then another program's prompt came between.
        """
        import httpx2

        client, http = self.root_async_client, self.http_async_client
        address = str(client.base_url).removesuffix("/v1/")
        file = new_file(folder)
        assert isinstance(http, httpx2.AsyncClient)
        try:
            saved = await http.post(
                f"{address}/slots/0?action=save",
                json={"filename": file.name},
                headers={"Authorization": f"Bearer {client.api_key}"},
            )
            if saved.is_success and saved.json().get("n_saved") == tokens:
                await asyncio.to_thread(keep, file, name)
        except (httpx2.HTTPError, OSError, ValueError) as error:
            logging.getLogger(__name__).info("What prompts begin with is not kept: %s", error)
        finally:
            await asyncio.to_thread(delete, [file])


def _count_as_read(message: BaseMessage, read: int) -> None:
    """Take ``read`` tokens, which were read just before, from those that the cache had."""
    if isinstance(message, AIMessage) and message.usage_metadata and read:
        details = message.usage_metadata.get("input_token_details", {})
        details["cache_read"] = max(0, details.get("cache_read", 0) - read)
