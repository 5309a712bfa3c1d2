"""``eval run`` on invented film lovers, whose models answer over HTTP and read their prompt."""

from typing import Any

from tests.support.command import Command, Result
from tests.support.endpoint import Reply, Status
from tests.support.movies import TASK, film_models

USERS = 6
METHODS_RUN = ("prompt", "rag", "majority", "persona-no-alignment", "persona")


class Script:
    """The models; a chat whose last message holds ``broken`` fails."""

    def __init__(self) -> None:
        self.broken = "nothing is broken"

    def __call__(self, body: dict[str, Any]) -> Reply:
        last = str(body["messages"][-1]["content"])
        return Status(400, "no such film") if self.broken in last else film_models(body)


def run(
    command: Command, *more: str, methods: str = ",".join(METHODS_RUN), out: str = "out"
) -> Result:
    """Run the methods on the film lovers, into the folder ``out``."""
    return command("eval", "run", "--tasks", TASK, "--methods", methods, "--out", out, *more)
