"""A scripted OpenAI-compatible endpoint: real HTTP on loopback, answers from a function.

    def responder(body):
        assert "Paris" in body["messages"][-1]["content"]
        return "It is the capital of France."

    with scripted_endpoint(responder) as endpoint:
        Settings(openai_base_url=endpoint.base_url, model="scripted")

The responder sees each request's parsed body and returns a text, a list of ToolCall, or a
misbehaviour (Status, Raw, Cut, Stall). What it raises is raised again where the block ends.
``/v1/embeddings`` needs no script.
"""

import asyncio
import base64
import hashlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

DIMENSION = 64


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool; ``arguments`` as text are sent as they are (to be no JSON, say)."""

    name: str
    arguments: dict[str, Any] | str


@dataclass(frozen=True)
class Status:
    """An HTTP error with OpenAI's error body."""

    code: int
    message: str = "scripted failure"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """An answer with this very body, a 200 if nothing else is said."""

    body: str
    content_type: str = "application/json"
    code: int = 200


@dataclass(frozen=True)
class Cut:
    """The connection breaks after ``after`` was sent; ``clean``: it ends as if all were well."""

    after: str = "Half an"
    clean: bool = False


@dataclass(frozen=True)
class Stall:
    """Nothing more comes after ``after``; with None not even the headers."""

    after: str | None = None


class Sure(str):
    """A text of which the model is sure, for whoever asks for log-probabilities."""

    def logprobs(self) -> dict[str, Any]:
        """As OpenAI gives them: the text as one token, which is nearly certain."""
        [sure, other] = [
            {"token": token, "bytes": [*token.encode()], "logprob": logprob}
            for token, logprob in ((str(self), -0.001), ("?", -7.0))
        ]
        return {"content": [sure | {"top_logprobs": [sure, other]}]}


Reply = str | list[ToolCall] | Status | Raw | Cut | Stall
Responder = Callable[[dict[str, Any]], Reply]


@dataclass(frozen=True)
class Request:
    """What the endpoint was sent."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Endpoint:
    """A running endpoint: its address, and every request that it has seen, in order."""

    base_url: str
    requests: list[Request] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    refuses_base64: bool = False


@contextmanager
def scripted_endpoint(responder: Responder) -> Iterator[Endpoint]:
    """Serve ``responder`` on a free port of its own until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    endpoint = Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    server = uvicorn.Server(
        uvicorn.Config(
            _application(responder, endpoint),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=60,
        )
    )
    server.force_exit = True  # a stalled response must not hold up the end of the test
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        if endpoint.failures:
            raise endpoint.failures[0]


def _application(responder: Responder, endpoint: Endpoint) -> Starlette:
    async def note(request: HttpRequest) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        endpoint.requests.append(Request(request.url.path, body, dict(request.headers)))
        return body

    async def chat(request: HttpRequest) -> Response:
        body = await note(request)
        try:
            reply = responder(body)
        except Exception as error:
            endpoint.failures.append(error)
            reply = Status(400, f"the script failed: {error!r}")
        return await _respond(body, reply)

    async def embeddings(request: HttpRequest) -> Response:
        body = await note(request)
        if endpoint.refuses_base64 and body.get("encoding_format") == "base64":
            return await _respond(body, Status(400, "encoding_format must be float"))
        return _embedded(body)

    return Starlette(
        routes=[
            Route("/chat/completions", chat, methods=["POST"]),
            Route("/{prefix:path}/chat/completions", chat, methods=["POST"]),
            Route("/embeddings", embeddings, methods=["POST"]),
            Route("/{prefix:path}/embeddings", embeddings, methods=["POST"]),
        ]
    )


async def _respond(body: dict[str, Any], reply: Reply) -> Response:
    match reply:
        case Status():
            error = {"message": reply.message, "type": "scripted", "code": None}
            return JSONResponse({"error": error}, reply.code, reply.headers)
        case Raw():
            return Response(reply.body, reply.code, media_type=reply.content_type)
        case Stall(after=None):
            await _for_ever()
        case Cut() | Stall() if not body.get("stream"):
            return StreamingResponse(
                _broken([reply.after or ""], reply), media_type="application/json"
            )
    if body.get("stream"):
        return StreamingResponse(_stream(body, reply), media_type="text/event-stream")
    return JSONResponse(_completion(body, reply))


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _broken(events: list[str], how: Cut | Stall) -> AsyncIterator[str]:
    for event in events:
        yield event
    if isinstance(how, Stall):
        await _for_ever()
    elif not how.clean:
        raise ConnectionAbortedError("scripted cut")


def _envelope(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"]}


def _usage(body: dict[str, Any], written: str) -> dict[str, int]:
    """Words, for tokens."""
    read = sum(len(str(message.get("content")).split()) for message in body["messages"])
    wrote = len(written.split())
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


def _message(reply: Reply) -> dict[str, Any]:
    if isinstance(reply, str):
        return {"role": "assistant", "content": reply}
    assert isinstance(reply, list)
    calls = [
        {
            "index": index,
            "id": f"call_{index}",
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": call.arguments
                if isinstance(call.arguments, str)
                else json.dumps(call.arguments),
            },
        }
        for index, call in enumerate(reply)
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _finish(reply: Reply) -> str:
    return "tool_calls" if isinstance(reply, list) else "stop"


def _completion(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    message = _message(reply)
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    if isinstance(reply, Sure) and body.get("logprobs"):
        choice["logprobs"] = reply.logprobs()
    usage = _usage(body, message["content"] or "")
    return _envelope(body, "chat.completion") | {"choices": [choice], "usage": usage}


async def _stream(body: dict[str, Any], reply: Reply) -> AsyncIterator[str]:
    envelope = _envelope(body, "chat.completion.chunk")

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps(envelope | {'choices': [choice]})}\n\n"

    if isinstance(reply, Cut | Stall):
        async for part in _broken(
            [event({"content": w}) for w in _words(reply.after or "")], reply
        ):
            yield part
        return
    message = _message(reply)
    words = _words(message["content"] or "")
    yield event({"role": "assistant", "content": ""})
    for delta in [{"content": word} for word in words] or [message]:
        yield event(delta)
    yield event({}, _finish(reply))
    if body.get("stream_options", {}).get("include_usage"):
        usage = {"choices": [], "usage": _usage(body, message["content"] or "")}
        yield f"data: {json.dumps(envelope | usage)}\n\n"
    yield "data: [DONE]\n\n"


def _words(text: str) -> list[str]:
    """The text in pieces that join to it again."""
    return [piece for piece in text.replace(" ", " \0").split("\0") if piece]


def _embedded(body: dict[str, Any]) -> Response:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    as_base64 = body.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(vector.tobytes()).decode()
            if as_base64
            else vector.tolist(),
        }
        for index, vector in enumerate(map(word_vector, map(str, texts)))
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return JSONResponse({"object": "list", "model": body["model"], "data": data, "usage": usage})


def word_vector(text: str) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """A unit vector of DIMENSION made of the words: texts that share some are near."""
    total = np.zeros(DIMENSION)
    for word in text.lower().split() or [""]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        total += np.random.default_rng(seed).standard_normal(DIMENSION)
    return (total / np.linalg.norm(total)).astype(np.float32)
