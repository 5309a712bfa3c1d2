"""``/v1``: the agent as a model of OpenAI's chat API, for every client that speaks it."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, HTTPException, Request
from starlette.responses import StreamingResponse

from personaagent.core.errors import Unknown
from personaagent.server.hanging_up import unless_gone
from personaagent.server.internal_client import streaming_client
from personaagent.server.routes.openai_errors import details
from personaagent.server.routes.openai_records import (
    AGENT,
    INCOGNITO,
    AnswerMessage,
    ChatRequest,
    Choice,
    Completion,
    Model,
    ModelList,
    OpenAIError,
)
from personaagent.server.routes.openai_turn import Turn, ask

router = APIRouter(prefix="/v1", tags=["openai"])

MODELS = {name: Model(id=name) for name in (AGENT, INCOGNITO)}
EVENTS = "text/event-stream"
EVENT_STREAM: dict[str, Any] = {
    "content": {EVENTS: {"schema": {"type": "string"}}},
    "description": "The completion, or with `stream` its chunks as server-sent events.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIError} for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
}
"""The same for all routes here, whoever raises them: see ``openai_errors``."""


@router.get("/models")
async def list_models() -> ModelList:
    """The agent, and the agent that remembers nothing of the turn."""
    return ModelList(data=[*MODELS.values()])


@router.get("/models/{model}")
async def show_model(model: str) -> Model:
    """One of them."""
    if model not in MODELS:
        raise Unknown(f"There is no model '{model[:80]}' here: ask for {' or '.join(MODELS)}.")
    return MODELS[model]


@router.post("/chat/completions", response_model=Completion, responses={200: EVENT_STREAM})
async def complete(
    chat: ChatRequest,
    request: Request,
    x_thread_id: Annotated[
        UUID | None, Header(description="The thread on which the conversation goes on.")
    ] = None,
) -> Any:
    """A turn of the caller's own agent. It is remembered, unless the model says incognito.

    The thread may stand in `metadata.thread_id` too; without one, the messages are the whole
    conversation.
    """
    await show_model(chat.model)
    thread = x_thread_id or (chat.metadata.thread_id if chat.metadata else None)
    turn = Turn()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(streaming_client(request))
        events = ask(api, chat, str(thread) if thread else None)
        pieces = await stack.enter_async_context(aclosing(turn.pieces(events)))
        if not chat.stream:
            await unless_gone(request, _to_the_end(pieces))
            return _completion(chat, turn)
        # what fails before the first piece still becomes a status
        first = await unless_gone(request, _first(pieces))
        chunks = _chunks(chat, turn, first, pieces, stack.pop_all())
        return StreamingResponse(chunks, media_type=EVENTS, headers={"Cache-Control": "no-store"})


async def _first(pieces: AsyncIterator[str]) -> str:
    return await anext(pieces, "")


async def _to_the_end(pieces: AsyncIterator[str]) -> None:
    async for _ in pieces:
        pass


def _completion(chat: ChatRequest, turn: Turn) -> Completion:
    message = AnswerMessage(content=turn.text)
    return Completion(
        **_head(chat),
        choices=[Choice(message=message, finish_reason=turn.finish_reason)],
        usage=turn.tokens,
        personaagent=turn.details,
    )


async def _chunks(
    chat: ChatRequest, turn: Turn, first: str, pieces: AsyncIterator[str], stack: AsyncExitStack
) -> AsyncIterator[str]:
    """The server-sent events of a streamed answer; leaving them hangs up on the run."""
    head = _head(chat) | {"object": "chat.completion.chunk"}
    async with stack:
        yield _event(head | _delta(role="assistant", content=first))
        try:
            async for piece in pieces:
                yield _event(head | _delta(content=piece))
        except HTTPException as error:
            yield _event({"error": details(error.status_code, error.detail).model_dump()})
            return
    ended = _delta(turn.finish_reason) | {"personaagent": turn.details.model_dump()}
    yield _event(head | ended)
    if chat.wants_usage:
        yield _event(head | {"choices": [], "usage": turn.tokens.model_dump()})
    yield _event("[DONE]")


def _head(chat: ChatRequest) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": chat.model}


def _delta(finish_reason: str | None = None, **delta: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {"choices": [choice]}


def _event(data: Any) -> str:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n"
