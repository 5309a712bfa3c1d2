"""A model endpoint in its own process that streams the same answer after a fixed time."""

import asyncio
import base64
import json
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from starlette.requests import Request
    from starlette.responses import Response

ANSWER = "It is the capital of France, on the Seine."
DIMENSION = 384


@contextmanager
def streaming_endpoint(seconds: float) -> Iterator[str]:
    """The base URL of an OpenAI-compatible endpoint that takes ``seconds`` for an answer.

    It also embeds texts, immediately: unit vectors of DIMENSION, made of their words.
    """
    process = subprocess.Popen(
        [sys.executable, __file__, str(seconds)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def serve(seconds: float) -> None:
    """Print the base URL, and serve until the process is ended."""
    import socket

    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    _embedding("load")  # imports NumPy and makes the vectors now, not during the first request

    async def chat(request: "Request") -> "Response":
        body = await request.json()
        assert body["stream"], "the benchmark expects streamed answers"
        events = _stream_answer(body["model"], seconds)
        return StreamingResponse(events, media_type="text/event-stream")

    routes = [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/embeddings", _embeddings, methods=["POST"]),
    ]
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    config = uvicorn.Config(Starlette(routes=routes), lifespan="off", log_level=60)
    uvicorn.Server(config).run(sockets=[listener])


async def _stream_answer(model: str, seconds: float) -> AsyncIterator[str]:
    await asyncio.sleep(seconds)
    for word in ANSWER.split():
        yield _event(model, {"role": "assistant", "content": f"{word} "})
    usage = {"prompt_tokens": 300, "completion_tokens": 9, "total_tokens": 309}
    yield _event(model, {}, finish_reason="stop", usage=usage)
    yield "data: [DONE]\n\n"


def _event(model: str, delta: dict[str, str], finish_reason: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model}
    return f"data: {json.dumps(chunk | {'choices': [choice]} | more)}\n\n"


async def _embeddings(request: "Request") -> "Response":
    from starlette.responses import JSONResponse

    body = await request.json()
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [
        {"object": "embedding", "index": index, "embedding": _embedding(str(text))}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 9, "total_tokens": 9}
    return JSONResponse({"object": "list", "model": body["model"], "data": data, "usage": usage})


def _embedding(text: str) -> str:
    """The sum of the vectors of the words, as a unit vector in base64."""
    import numpy as np

    vectors = _word_vectors()
    total = vectors[[zlib.crc32(word.encode()) % len(vectors) for word in text.split()]].sum(0)
    return base64.b64encode((total / np.linalg.norm(total)).tobytes()).decode()


@cache
def _word_vectors() -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    import numpy as np

    return np.random.default_rng(0).standard_normal((4096, DIMENSION)).astype(np.float32)


if __name__ == "__main__":
    serve(float(sys.argv[1]))
