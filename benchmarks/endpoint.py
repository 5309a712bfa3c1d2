"""The scripted endpoint of the tests, in a process of its own: it answers at once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
ANSWER = "It is the capital of France."
LOOK_UP = "Look up: "


@contextmanager
def endpoint() -> Iterator[str]:
    """The base URL of an OpenAI-compatible endpoint that says ``ANSWER`` to everything.

    A message that begins with ``LOOK_UP`` is first looked up with ``recall_episodes``.
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


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    from tests.support.endpoint import Reply, ToolCall, scripted_endpoint

    def script(body: dict[str, Any]) -> Reply:
        last = body["messages"][-1]
        if last["role"] == "user" and last["content"].startswith(LOOK_UP):
            return [ToolCall("recall_episodes", {"query": last["content"].removeprefix(LOOK_UP)})]
        return ANSWER

    with scripted_endpoint(script) as served:
        print(served.base_url, flush=True)
        sys.stdin.read()
