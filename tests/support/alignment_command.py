"""``align`` as a user runs it, also in processes that can be killed, with models over HTTP."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from personaagent.core.records import Episode
from tests.support.alignment import PREFERENCES, Scripted, walks
from tests.support.alignment_endpoint import over_http, role_of, write_episodes
from tests.support.command import Command
from tests.support.endpoint import Reply, Stall, Status

WANTED = list(PREFERENCES)[:2]
ALIGN = ("align", "--user", "anna")


class Script:
    """The models of alignment; ``held`` says whose answer is never to come, ``broken`` whose fails."""

    def __init__(self) -> None:
        self.respond = over_http(Scripted())
        self.held: Callable[[dict[str, Any]], bool] = lambda body: False
        self.broken: Callable[[dict[str, Any]], bool] = lambda body: False
        self.holding = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Reply:
        if self.held(body):
            self.holding.set()
            return Stall()
        return Status(400, "no such thing") if self.broken(body) else self.respond(body)


def remember(
    command: Command, folder: Path, user: str, episodes: Sequence[Episode] | int = 5
) -> None:
    """Import these episodes of the user, or so many walks."""
    history = walks(episodes, WANTED) if isinstance(episodes, int) else episodes
    file = write_episodes(folder / "walks.jsonl", history)
    assert command("memory", "import", str(file), "--user", user).code == 0


def rules(command: Command, user: str = "anna") -> list[str]:
    """The text of each rule of the user's persona."""
    shown = command("persona", "show", "--user", user, "--json").data["rules"]
    return [rule["text"] for rule in shown]


def versions(command: Command, user: str = "anna") -> list[str]:
    """The author of each version, oldest first."""
    return [each["author"] for each in command("persona", "history", "-u", user, "--json").data]


def nth(number: int, role: str, within: str = "") -> Callable[[dict[str, Any]], bool]:
    """Whether a request is the ``number``-th (from 1) of ``role`` with ``within`` in its prompt."""
    seen = 0

    def is_it(body: dict[str, Any]) -> bool:
        nonlocal seen
        seen += role_of(body) == role and within in json.dumps(body["messages"][0])
        return seen == number and role_of(body) == role

    return is_it
