"""The scripted endpoint of the tests in its own process; it answers immediately."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
ANSWER = "It is the capital of France."
LOOK_UP = "Look up: "


@contextmanager
def instant_endpoint() -> Iterator[str]:
    """The base URL of an OpenAI-compatible endpoint that answers ``ANSWER`` to everything.

    For a message that begins with ``LOOK_UP``, it first calls ``recall_episodes``.
    """
    process = subprocess.Popen(
        [sys.executable, __file__],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def serve() -> None:
    """Print the base URL, and serve until standard input closes."""
    from tests.support.endpoint import Reply, ToolCall, scripted_endpoint

    def script(body: dict[str, Any]) -> Reply:
        last = body["messages"][-1]
        if last["role"] == "user" and last["content"].startswith(LOOK_UP):
            return [ToolCall("recall_episodes", {"query": last["content"].removeprefix(LOOK_UP)})]
        return ANSWER

    with scripted_endpoint(script) as endpoint:
        print(endpoint.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    serve()
