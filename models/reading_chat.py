"""langchain-openai's chat model, with replies read by ``ReplyReader``: as their makers mean them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai.chat_models.base import ChatOpenAI  # the package imports all it has

from personaagent.models.handed_back import REASONING_CONTENT, hand_back, keep
from personaagent.models.hidden_errors import hidden_error
from personaagent.models.reply_reader import ReplyReader
from personaagent.models.server_events import DONE, server_events
from personaagent.models.tool_call_parts import ids_of
from personaagent.models.whole_reply import whole_reply

_wants_reasoning: set[tuple[str, str]] = set()
"""Models, by endpoint, that refuse a tool's result without the reasoning that led to the call."""

_OPTIONS = {
    "extra_headers": "headers",
    "extra_query": "params",
    "extra_body": "extra_json",
    "timeout": "timeout",
}
"""What a payload may hold that is no part of the request's body, by its name in openai's options."""


class ReadingChat(ChatOpenAI):
    """A chat model at an OpenAI-compatible endpoint, whatever that makes of the format.

    ``reasoning=True`` in a call: the pieces of its stream carry the reasoning too.
    """

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        kwargs["stream"] = False
        return await whole_reply(self._read(messages, stop, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        *,
        stream_usage: bool | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        kwargs["stream"] = True
        if self._should_stream_usage(stream_usage, **kwargs):
            kwargs["stream_options"] = {"include_usage": True}
        async for chunk in self._read(messages, stop, **kwargs):
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _read(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        *,
        reasoning: bool = False,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        """Ask, and read the reply piece by piece."""
        model = (str(self.openai_api_base), self.model_name)
        reader = ReplyReader(
            taken=ids_of(messages),
            opened=self._only_ends_reasoning(),
            shows_reasoning=reasoning,
            offers_tools=bool(kwargs.get("tools")),
        )
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        if not payload.get("stream"):
            payload.pop("stream", None)
        response = await self._send(messages, payload)
        done = False
        async for event in _events(response):
            if event is DONE:
                done = True
            elif chunk := reader.read(event):
                yield ChatGenerationChunk(message=chunk)
        last = reader.end(done=done)
        keep(model, messages, reader)
        if reader.splitter.opened_in_prompt:
            await self._note_only_ends_reasoning()
        yield ChatGenerationChunk(message=last)

    def _only_ends_reasoning(self) -> bool:
        """Whether the chat template of the model begins its reasoning, so that it only ends it."""
        return False

    async def _note_only_ends_reasoning(self) -> None:
        """Remember that the model has just done so."""

    async def _send(self, messages: list[BaseMessage], payload: dict[str, Any]) -> httpx2.Response:
        """Send the request; with the reasoning of this turn where the endpoint demands it back."""
        model = (str(self.openai_api_base), self.model_name)
        is_demanded = model in _wants_reasoning
        try:
            return await self._post(hand_back(model, messages, payload, reasoning=is_demanded))
        except openai.BadRequestError as error:
            if is_demanded or REASONING_CONTENT not in str(error):
                raise
            response = await self._post(hand_back(model, messages, payload, reasoning=True))
            _wants_reasoning.add(model)
            return response

    async def _post(self, payload: dict[str, Any]) -> httpx2.Response:
        """The endpoint's response, with openai's retries and errors.

        Not by ``completions.create``: that checks each message against types that no endpoint keeps
        to, which takes longer than all else it does.
        """
        options = {name: payload[option] for option, name in _OPTIONS.items() if option in payload}
        return await self.root_async_client.post(  # type: ignore[no-any-return]
            "/chat/completions",
            cast_to=httpx2.Response,
            body={name: value for name, value in payload.items() if name not in _OPTIONS},
            options=options,
            stream=payload.get("stream", False),
            stream_cls=openai.AsyncStream[Any],
        )


async def _events(response: httpx2.Response) -> AsyncIterator[Any]:
    """The events of a reply, in whichever of the two forms it comes, and ``DONE``.

    Raises:
        ValueError: it has neither form.
        openai.APIError: it breaks off, or is or holds an error.
    """
    try:
        if "event-stream" in response.headers.get("content-type", ""):
            async for event in server_events(response.aiter_bytes()):
                yield _checked(event, response)
        else:
            body = json.loads(await response.aread())
            yield _checked(body, response)
            yield DONE
    except httpx2.TimeoutException as error:
        raise openai.APITimeoutError(request=response.request) from error
    except httpx2.RequestError as error:
        raise openai.APIConnectionError(request=response.request) from error
    finally:
        await response.aclose()


_KINDS: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
}


def _checked(event: Any, response: httpx2.Response) -> Any:
    """``event``, unless it is an error."""
    if event is DONE or (found := hidden_error(event)) is None:
        return event
    response.status_code, error = found
    text = error.get("message") if isinstance(error, dict) else error
    kind = _KINDS.get(response.status_code, openai.InternalServerError)
    raise kind(str(text or error), response=response, body=error)
