"""A server on Postgres that is killed loses nothing, and what it did goes on or is done again once."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.endpoint import Reply
from tests.support.kills import Model, stored, until
from tests.support.postgres import Session, postgres
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, running_server

pytestmark = pytest.mark.integration
TOLD = {"messages": [{"role": "user", "content": "My dog is called Rex."}]}
LATEST: Any = {"checkpoint_ns": ""}
"""To go on from the latest checkpoint; aegra takes no run with nothing at all to begin with."""
ASKED = {"messages": [{"role": "user", "content": "What is my dog called?"}]}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    need_postgres()
    with postgres() as address:
        yield address


def answers_from_memory(body: dict[str, Any]) -> Reply:
    known = str(body["messages"][0]["content"])
    return "Your dog is called Rex." if "dog is called Rex" in known else "I do not know."


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait()


async def test_a_turn_goes_on_where_it_was_killed(database: str, tmp_path: Path) -> None:
    model = Model(answers_from_memory)
    with running_server(tmp_path, model, **on_postgres(database)) as server:
        async with server.sdk("ana") as client:
            await client.runs.wait(None, "agent", input=TOLD)
            thread = (await client.threads.create())["thread_id"]
            model.hold = lambda body: True
            await client.runs.create(thread, "agent", input=ASKED, durability="sync")
            await model.holding()
            kill(server)

    model.answer_everything()
    with running_server(tmp_path, model, **on_postgres(database)) as server:
        async with server.sdk("ana") as client:
            state = await client.threads.get_state(thread)
            assert state["next"] == ["react"]
            result: Any = await client.runs.wait(thread, "agent", checkpoint=LATEST)
            assert [each["type"] for each in result["messages"]] == ["human", "ai"]
            assert result["messages"][-1]["content"] == "Your dog is called Rex."
    assert len(stored(database, "ana", "episodes")) == 2


async def test_a_turn_killed_as_it_was_remembered_is_remembered_once(
    database: str, tmp_path: Path
) -> None:
    model = Model(answers_from_memory)
    with (
        Session(database) as session,
        running_server(tmp_path, model, **on_postgres(database)) as server,
    ):
        async with server.sdk("bob") as client:
            thread = (await client.threads.create())["thread_id"]
            model.hold = lambda body: bool(
                session("BEGIN; LOCK TABLE checkpoints IN EXCLUSIVE MODE")
            )
            await client.runs.create(thread, "agent", input=TOLD, durability="async")
            await until(lambda: len(stored(database, "bob", "episodes")) == 1)
            kill(server)
            session("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")
    [remembered] = stored(database, "bob", "episodes")

    model.answer_everything()
    with running_server(tmp_path, model, **on_postgres(database)) as server:
        async with server.sdk("bob") as client:
            assert (await client.threads.get_state(thread))["next"] != []
            with suppress(httpx.HTTPError):
                await client.runs.wait(thread, "agent", checkpoint=LATEST)
    assert stored(database, "bob", "episodes") == [remembered]
