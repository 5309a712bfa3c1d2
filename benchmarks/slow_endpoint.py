"""A slow endpoint in a process of its own, which plays all models of alignment and measures itself.

It takes its time over each answer, and answers as many at once as it is asked for; the actor
follows the rules in its prompt, the critic and the editor name the user's four preferences.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from endpoint import REPOSITORY


@dataclass(frozen=True)
class Busy:
    """What the endpoint did since it was last asked.

    ``seconds``: the sum of what each request spent in it; ``most``: requests at once; ``span``:
    seconds between the first request and the last answer.
    """

    requests: int
    seconds: float
    most: int
    span: float


@dataclass(frozen=True)
class SlowEndpoint:
    """A running endpoint at ``base_url`` that takes ``latency`` seconds for an answer."""

    base_url: str
    latency: float

    def busy(self) -> Busy:
        """What it did since this was last called."""
        with urlopen(f"{self.base_url}/busy") as answer:
            return Busy(**json.load(answer))


@contextmanager
def slow_endpoint(latency: float) -> Iterator[SlowEndpoint]:
    """An endpoint that takes ``latency`` seconds for an answer."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(latency)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield SlowEndpoint(process.stdout.readline().strip(), latency)
        finally:
            process.terminate()


def serve(latency: float) -> None:
    """Serve until the process is ended; the base URL is printed first."""
    import asyncio
    import socket
    import time

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from tests.support.alignment import PREFERENCES, answer_to

    points = [
        {"given": "", "wanted": said, "point": rule, "episodes": ["E1", "E2"]}
        for rule, said in [*PREFERENCES.items()][:2]
    ]
    proposals = [
        {"evidence": ["E1", "E2"], "text": rule, "action": "add", "rule": ""}
        for rule in PREFERENCES
    ]
    filled = {
        "Critique": json.dumps({"points": points}),
        "Proposals": json.dumps({"proposals": proposals}),
    }
    begun: list[float] = []
    ended: list[float] = []
    most = 0

    def reply(body: dict[str, object]) -> str:
        form, messages = body.get("response_format"), body["messages"]
        if form:
            return filled[form["json_schema"]["name"]]  # type: ignore[index]
        persona = messages[0]["content"].partition("<persona>")[2].partition("</persona>")[0]  # type: ignore[index]
        query = messages[-1]["content"]  # type: ignore[index]
        return answer_to(query, [rule for rule in PREFERENCES if rule in persona])

    async def chat(request: Request) -> JSONResponse:
        nonlocal most
        since = time.monotonic()
        begun.append(since)
        most = max(most, len(begun) - len(ended))
        body = await request.json()
        await asyncio.sleep(since + latency - time.monotonic())
        said = {"role": "assistant", "content": reply(body)}
        tokens = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        ended.append(time.monotonic())
        return JSONResponse(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": said}],
                "usage": tokens,
            }
        )

    async def busy(request: Request) -> JSONResponse:
        nonlocal most
        span = max(ended, default=0) - min(begun, default=0)
        found = Busy(len(ended), sum(ended) - sum(begun), most, span)
        begun.clear()
        ended.clear()
        most = 0
        return JSONResponse(found.__dict__)

    routes = [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/busy", busy),
    ]
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    config = uvicorn.Config(
        Starlette(routes=routes), lifespan="off", log_level=60, timeout_keep_alive=60
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    serve(float(sys.argv[1]))
