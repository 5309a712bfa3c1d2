"""The scripted endpoint of the tests, in a process of its own: it answers at once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ANSWER = "It is the capital of France."


@contextmanager
def endpoint() -> Iterator[str]:
    """The base URL of an OpenAI-compatible endpoint that says ``ANSWER`` to everything."""
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
    from tests.support.endpoint import scripted_endpoint

    with scripted_endpoint(lambda body: ANSWER) as served:
        print(served.base_url, flush=True)
        sys.stdin.read()
