"""A development server of its own, for the tests: started in a temporary folder, asked over HTTP.

    with running_server(tmp_path, responder, PERSONAAGENT_TOP_K="3") as server:
        async with server.sdk("ana") as client:           # langgraph-sdk, with a token of Ana's
            await client.threads.create()
        async with server.http("ana") as client:          # httpx, for our own routes
            await client.get("/persona")

A server costs some ten seconds of CPU: share those of ``tests/server/conftest.py``.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from personaagent.core.settings import Settings
from personaagent.server.identity import Tokens
from tests.support.alignment import Scripted
from tests.support.alignment_endpoint import over_http
from tests.support.endpoint import (
    Cut,
    Endpoint,
    Reply,
    Responder,
    Stall,
    Status,
    scripted_endpoint,
)
from tests.support.marks import need_mark

ROOT = Path(__file__).parents[2]
SECRET = "a secret of the tests, and of nobody else"


ALIGNING = over_http(Scripted())

FAILS = "This cannot be answered."
"""No prompt that holds it is answered."""
STALLS, BREAKS, WAITS = "This takes for ever.", "This breaks off.", "This is never begun."
"""What is answered to the first two begins, and then stalls, or breaks off; to the third, nothing is."""
BEGUN = "Half an answer, and"


def answers_from_memory(body: dict[str, Any]) -> Reply:
    """A model that knows only what its prompt says; of walks it answers by its persona's rules."""
    if "Tell me about" in str(body["messages"]):
        return ALIGNING(body)
    if FAILS in str(body["messages"]):
        return Status(400, "refused")
    if STALLS in str(body["messages"]):
        return Stall(BEGUN)
    if WAITS in str(body["messages"]):
        return Stall()
    if BREAKS in str(body["messages"]):
        return Cut(BEGUN)
    known = str(body["messages"][0]["content"])
    return "Your dog is called Rex." if "dog is called Rex" in known else "I do not know."


@dataclass(frozen=True)
class Server:
    """A running server: its address, its scripted endpoint, its folder, and its process."""

    url: str
    endpoint: Endpoint
    folder: Path
    process: subprocess.Popen[bytes]
    secret: str | None

    def token(self, user: str, *, hours: float = 1, **settings: Any) -> str:
        """A token of the user; ``settings`` (auth_secret, auth_issuer ...) make it another one."""
        given = {"auth_secret": self.secret} | settings
        return Tokens(Settings(**given)).mint(user, datetime.now(UTC) + timedelta(hours=hours))

    def headers(self, user: str | None) -> dict[str, str]:
        """What the user sends along: a token, or where none is needed, the name; None: nothing."""
        if user is None:
            return {}
        if self.secret is None:
            return {"X-User-Id": user}
        return {"Authorization": f"Bearer {self.token(user)}"}

    @asynccontextmanager
    async def sdk(
        self, user: str | None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[LangGraphClient]:
        """The SDK as the user (None: nobody), or with these headers."""
        given = dict(self.headers(user) if headers is None else headers)
        async with get_client(url=self.url, api_key=None, headers=given) as client:
            yield client

    @asynccontextmanager
    async def http(
        self, user: str | None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client as the user (None: nobody), or with these headers."""
        given = dict(self.headers(user) if headers is None else headers)
        async with httpx.AsyncClient(base_url=self.url, headers=given, timeout=30) as client:
            yield client

    @property
    def log(self) -> str:
        """What the server has printed."""
        return (self.folder / "log").read_text("utf-8")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


Command = Callable[[int], Sequence[str | Path]]
"""What starts a server on a port."""


def development(port: int) -> Sequence[str | Path]:
    """The development server, on the ``langgraph.json`` of its folder."""
    langgraph = Path(sys.executable).with_name("langgraph")
    return [langgraph, "dev", "--port", str(port), "--no-browser", "--no-reload"]


@contextmanager
def running_server(
    folder: Path,
    responder: Responder,
    *,
    secret: str | None = SECRET,
    command: Command = development,
    ready: str = "/ok",
    configuration: Mapping[str, Any] | None = None,
    port: int | None = None,
    **environment: str | None,
) -> Iterator[Server]:
    """Run the development server on ``langgraph.json``, or another, until the block is left.

    Args:
        folder: where it keeps its state, home and log; the same folder again finds them again.
        responder: what the model says.
        secret: what tokens are signed with; None: no token is needed.
        command: what starts it.
        ready: the path that answers once it is up.
        configuration: instead of that in our ``langgraph.json``.
        port: where it listens; None: at any that is free.
        environment: more variables; None takes one away.
    """
    need_mark("server")
    folder.mkdir(parents=True, exist_ok=True)
    configuration = configuration or json.loads((ROOT / "langgraph.json").read_text("utf-8"))
    (folder / "langgraph.json").write_text(json.dumps(configuration), "utf-8")
    port = port or free_port()
    with scripted_endpoint(responder) as endpoint, (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command(port),
            cwd=folder,
            env=_environment(folder, endpoint, secret, environment),
            stdout=log,
            stderr=log,
        )
        server = Server(f"http://127.0.0.1:{port}", endpoint, folder, process, secret)
        try:
            _wait_until_ready(server, ready)
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def _environment(
    folder: Path, endpoint: Endpoint, secret: str | None, more: Mapping[str, str | None]
) -> dict[str, str]:
    given: dict[str, str | None] = {
        name: value for name, value in os.environ.items() if not name.startswith("LANGSMITH_")
    }
    given.pop("PERSONAAGENT_AUTH_SECRET", None)
    all_of_them = (
        given
        | {
            "OPENAI_BASE_URL": endpoint.base_url,
            "OPENAI_API_KEY": "none",
            "PERSONAAGENT_MODEL": "scripted",
            "PERSONAAGENT_EMBEDDINGS": "openai:test",
            "PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge",
            "PERSONAAGENT_HOME": str(folder / "home"),
            "LANGGRAPH_CLI_NO_ANALYTICS": "1",
            "LANGGRAPH_NO_VERSION_CHECK": "1",
            "LANGSMITH_TRACING": "false",
        }
        | ({"PERSONAAGENT_AUTH_SECRET": secret} if secret else {})
        | dict(more)
    )
    return {name: value for name, value in all_of_them.items() if value is not None}


class _NotReady(Exception):
    pass


@retry(
    retry=retry_if_exception_type(_NotReady),
    reraise=True,
    stop=stop_after_delay(90),
    wait=wait_fixed(0.3),
)
def _wait_until_ready(server: Server, path: str) -> None:
    assert server.process.poll() is None, server.log
    try:
        answer = httpx.get(f"{server.url}{path}")
    except httpx.HTTPError as error:
        raise _NotReady(server.log) from error
    if answer.is_error:
        raise _NotReady(f"{answer.text}\n{server.log}")
