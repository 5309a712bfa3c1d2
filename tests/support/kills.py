"""What a test needs to kill a server at a moment of its choice, and to see what is left."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from personaagent.core.records import Episode
from personaagent.core.users import user_key
from tests.support.endpoint import Reply, Responder, Stall
from tests.support.postgres import sql


class Model:
    """Says what ``says`` says; what ``hold`` picks out is never answered, and sets ``held``."""

    def __init__(self, says: Responder) -> None:
        self._says = says
        self.hold: Callable[[dict[str, Any]], bool] = lambda body: False
        self.held = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Reply:
        if self.hold(body):
            self.held.set()
            return Stall(None)
        return self._says(body)

    async def holding(self) -> None:
        """Until a call is held."""
        assert await asyncio.to_thread(self.held.wait, 30)

    def answer_everything(self) -> None:
        """Hold nothing from now on."""
        self.hold = lambda body: False
        self.held.clear()


@retry(
    retry=retry_if_exception_type(AssertionError),
    reraise=True,
    stop=stop_after_delay(30),
    wait=wait_fixed(0.05),
)
def block_until(true: Callable[[], bool]) -> None:
    """Wait, for half a minute at most, until it is true."""
    assert true()


async def until(true: Callable[[], bool]) -> None:
    """As ``block_until``, beside whatever else runs."""
    await asyncio.to_thread(block_until, true)


def stored(database: str, user: str, kind: str) -> list[str]:
    """The keys under which the store has something of this kind for the user."""
    place = f"users.{user_key(user)}.{kind}"
    return sql(database, f"SELECT key FROM store WHERE prefix = '{place}' ORDER BY key").split()


def standing(database: str, user: str) -> list[str]:
    """The episodes of the user that are not discarded."""
    place = f"users.{user_key(user)}.episodes"
    discarded = "coalesce(value->'episode'->>'discarded', 'false') = 'true'"
    wanted = f"prefix = '{place}' AND NOT ({discarded})"
    return sql(database, f"SELECT key FROM store WHERE {wanted} ORDER BY key").split()


def put_episodes(database: str, user: str, episodes: list[Episode]) -> None:
    """Store the episodes as the memory does, without a server."""
    for episode in episodes:
        value = {"labelled": episode.labelled, "episode": episode.stored()}
        _put(database, user, "episodes", episode.id, value)
    _put(database, user, "profile", "labels", {"revision": "1"})


def _put(database: str, user: str, kind: str, key: str, value: dict[str, Any]) -> None:
    place = f"users.{user_key(user)}.{kind}"
    text = json.dumps(value).replace("'", "''")
    sql(database, f"INSERT INTO store (prefix, key, value) VALUES ('{place}', '{key}', '{text}')")
