"""A model endpoint in a process of its own that streams the same answer after a fixed time."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

ANSWER = "It is the capital of France, on the Seine."
DIMENSION = 384


@contextmanager
def answering_after(seconds: float) -> Iterator[str]:
    """The base URL of an OpenAI-compatible endpoint that takes so long for an answer.

    It gives the embeddings of texts too, at once: unit vectors of DIMENSION made of their words.
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
    """Serve until the process is ended; the base URL is printed first."""
    import asyncio
    import base64
    import json
    import socket
    import zlib

    import numpy as np
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    words = np.random.default_rng(0).standard_normal((4096, DIMENSION)).astype(np.float32)

    def vector(text: str) -> str:
        total = words[[zlib.crc32(word.encode()) % len(words) for word in text.split()]].sum(0)
        return base64.b64encode((total / np.linalg.norm(total)).tobytes()).decode()

    def event(model: str, delta: dict[str, str], **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish", None)}
        told = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model}
        return f"data: {json.dumps(told | {'choices': [choice]} | more)}\n\n"

    async def streamed(model: str) -> AsyncIterator[str]:
        await asyncio.sleep(seconds)
        for word in ANSWER.split():
            yield event(model, {"role": "assistant", "content": f"{word} "})
        usage = {"prompt_tokens": 300, "completion_tokens": 9, "total_tokens": 309}
        yield event(model, {}, finish="stop", usage=usage)
        yield "data: [DONE]\n\n"

    async def chat(request: Request) -> Response:
        body = await request.json()
        assert body["stream"], "whoever asks is to see the answer as it comes"
        return StreamingResponse(streamed(body["model"]), media_type="text/event-stream")

    async def embeddings(request: Request) -> Response:
        body = await request.json()
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [
            {"object": "embedding", "index": index, "embedding": vector(str(text))}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": 9, "total_tokens": 9}
        return JSONResponse(
            {"object": "list", "model": body["model"], "data": data, "usage": usage}
        )

    routes = [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/embeddings", embeddings, methods=["POST"]),
    ]
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    config = uvicorn.Config(Starlette(routes=routes), lifespan="off", log_level=60)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    serve(float(sys.argv[1]))
