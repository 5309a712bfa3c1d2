"""A slow endpoint in its own process that plays every model of alignment and measures its load.

It waits before each answer, and answers any number of requests at once. Its actor follows the rules
in the prompt; its critic and editor name the user's four preferences.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from instant_endpoint import REPOSITORY

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import JSONResponse


@dataclass(frozen=True)
class EndpointLoad:
    """What the endpoint did since it was last asked.

    Args:
        seconds: the sum of the time that each request spent in the endpoint.
        most: the highest number of requests at once.
        span: seconds between the first request and the last answer.
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

    def take_load(self) -> EndpointLoad:
        """The load since this was last called."""
        with urlopen(f"{self.base_url}/load") as response:
            return EndpointLoad(**json.load(response))


@contextmanager
def slow_endpoint(latency: float) -> Iterator[SlowEndpoint]:
    """Run an endpoint that takes ``latency`` seconds for an answer."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(latency)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield SlowEndpoint(process.stdout.readline().strip(), latency)
        finally:
            process.terminate()


@dataclass
class _Handlers:
    """The routes of the endpoint, and the start and end of each request since the last report."""

    latency: float
    started: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    most: int = 0

    async def chat(self, request: "Request") -> "JSONResponse":
        """Answer after ``latency`` seconds."""
        from starlette.responses import JSONResponse

        started = time.monotonic()
        self.started.append(started)
        self.most = max(self.most, len(self.started) - len(self.ended))
        body = await request.json()
        await asyncio.sleep(started + self.latency - time.monotonic())
        response = JSONResponse(_completion(body["model"], _reply(body)))
        self.ended.append(time.monotonic())
        return response

    async def load(self, request: "Request") -> "JSONResponse":
        """Report the load, and start again."""
        from starlette.responses import JSONResponse

        span = max(self.ended, default=0) - min(self.started, default=0)
        seconds = sum(self.ended) - sum(self.started)
        load = EndpointLoad(len(self.ended), seconds, self.most, span)
        self.started.clear()
        self.ended.clear()
        self.most = 0
        return JSONResponse(asdict(load))


def _reply(body: dict[str, Any]) -> str:
    """What the critic or the editor fills in, or the actor's answer by the rules in its prompt."""
    from tests.support.alignment import PREFERENCES, answer_to

    if form := body.get("response_format"):
        return _filled_form(form["json_schema"]["name"])
    messages = body["messages"]
    persona = messages[0]["content"].partition("<persona>")[2].partition("</persona>")[0]
    return answer_to(messages[-1]["content"], [rule for rule in PREFERENCES if rule in persona])


def _filled_form(name: str) -> str:
    from tests.support.alignment import PREFERENCES

    evidence = ["E1", "E2"]
    if name == "Critique":
        points = [
            {"given": "", "wanted": wanted, "point": rule, "episodes": evidence}
            for rule, wanted in [*PREFERENCES.items()][:2]
        ]
        return json.dumps({"points": points})
    assert name == "Proposals", name
    proposals = [
        {"evidence": evidence, "text": rule, "action": "add", "rule": ""} for rule in PREFERENCES
    ]
    return json.dumps({"proposals": proposals})


def _completion(model: str, text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def serve(latency: float) -> None:
    """Print the base URL, and serve until the process is ended."""
    import socket

    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Route

    _filled_form("Critique")  # imports the script now, not during the first request
    handlers = _Handlers(latency)
    routes = [
        Route("/v1/chat/completions", handlers.chat, methods=["POST"]),
        Route("/v1/load", handlers.load),
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
