"""The production server: what is its own. ``test_core.py`` says what holds on both."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest
from langgraph_sdk.errors import NotFoundError

from personaagent.core.errors import ConfigurationError
from personaagent.core.users import user_key
from tests.support.asks import MESSAGES, REQUESTS, Ask
from tests.support.postgres import Session
from tests.support.postgres_server import PYTHON, need_postgres
from tests.support.server import ROOT, SECRET, Server

OWNER, STRANGER = "the owner", "a stranger"
THEIRS = ("/threads", "/runs", "/assistants", "/store", "/me")


@pytest.fixture(scope="module")
def things(postgres_server: Server) -> dict[str, str]:
    """What the owner has: a thread with a run in it, an assistant, a cron."""
    return asyncio.run(made(postgres_server))


async def made(server: Server) -> dict[str, str]:
    async with server.sdk(OWNER) as client:
        thread = (await client.threads.create())["thread_id"]
        told = {"messages": [{"role": "user", "content": "My dog is called Rex."}]}
        await client.runs.wait(thread, "agent", input=told)
        assistant = await client.assistants.create("agent", name="Their own")
        await client.crons.create("agent", schedule="0 3 * * *", input=MESSAGES)
        return {
            "thread_id": thread,
            "waiting_thread_id": thread,
            "run_id": (await client.runs.list(thread))[0]["run_id"],
            "assistant_id": assistant["assistant_id"],
            "cron_id": (await client.crons.search())[0]["cron_id"],
            "checkpoint_id": str(
                (await client.threads.get_state(thread))["checkpoint"]["checkpoint_id"]
            ),
        }


def test_it_starts_only_where_callers_show_a_token() -> None:
    need_postgres()
    bare = {name: os.environ[name] for name in ("PATH", "HOME")}
    done = subprocess.run(
        [PYTHON, ROOT / "deploy" / "serve.py"], env=bare, capture_output=True, text=True
    )
    assert done.returncode == ConfigurationError.exit_code
    assert "PERSONAAGENT_AUTH_SECRET" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_starts_only_where_both_share_an_index(
    postgres_server: Server, database: str, tmp_path: Path
) -> None:
    bare = {name: os.environ[name] for name in ("PATH", "HOME")}
    second = bare | {
        "DATABASE_URL": database,
        "PERSONAAGENT_AUTH_SECRET": SECRET,
        "PERSONAAGENT_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [PYTHON, ROOT / "deploy" / "serve.py"], env=second, capture_output=True, text=True
    )
    assert done.returncode == ConfigurationError.exit_code
    assert done.stderr.splitlines()[-1] == (
        "Another server runs on this database, and several need an index that they share: "
        "set QDRANT_URL for each of them."
    )
    assert postgres_server.process.poll() is None


async def test_no_route_answers_without_a_token(postgres_server: Server) -> None:
    async with postgres_server.http(None) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        routes = [
            (verb.upper(), path.replace("{", "").replace("}", ""))
            for path, verbs in paths.items()
            for verb in verbs
            if path.startswith(THEIRS)
        ]
        assert len(routes) > 60
        for verb, path in routes:
            assert (await client.request(verb, path, json={})).status_code == 401, (verb, path)


@pytest.mark.parametrize("ask", REQUESTS, ids=str)
async def test_to_a_stranger_there_is_no_such_thing_here_either(
    postgres_server: Server, things: dict[str, str], ask: Ask
) -> None:
    def filled(text: str) -> str:
        for name, value in things.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    url = filled(f"{ask.path}?{ask.query}" if ask.query else ask.path)
    body = None if ask.body is None else json.loads(filled(json.dumps(ask.body)))
    async with postgres_server.http(STRANGER) as client:
        answer = await client.request(ask.method, url, json=body)
    assert answer.status_code < 500, answer.text
    assert "Rex" not in answer.text
    if ask.told is None:
        assert [name for name, value in things.items() if value in answer.text] == []


async def test_nothing_that_a_stranger_tried_has_changed_anything_here_either(
    postgres_server: Server, things: dict[str, str]
) -> None:
    async with postgres_server.sdk(OWNER) as client:
        state = await client.threads.get_state(things["thread_id"])
        assert state["checkpoint"]["checkpoint_id"] == things["checkpoint_id"]
        assert len(await client.runs.list(things["thread_id"])) == 1
        assert (await client.assistants.get(things["assistant_id"]))["version"] == 1
        assert len(await client.crons.search()) == 1


async def test_whoever_is_named_like_the_hash_of_another_finds_nothing_of_theirs(
    postgres_server: Server, things: dict[str, str]
) -> None:
    key = user_key(OWNER)
    async with postgres_server.sdk(OWNER) as owner, postgres_server.sdk(key) as named_like_it:
        assert (await owner.store.search_items(["users", key, "episodes"]))["items"]
        assert (await named_like_it.store.search_items([]))["items"] == []
        assert (await named_like_it.store.search_items(["users"]))["items"] == []
        for place in (["users", key], ["users", key, "episodes"], ["episodes"]):
            with pytest.raises(NotFoundError):
                await named_like_it.store.search_items(place)


async def test_whoever_writes_a_persona_waits_for_others_who_do_on_any_machine(
    postgres_server: Server, database: str
) -> None:
    with Session(database) as elsewhere:
        elsewhere(f"SELECT pg_advisory_lock(hashtextextended('{user_key('pat')}', 0))")
        async with postgres_server.http("pat") as client:
            edit = asyncio.ensure_future(
                client.post("/me/persona/edits", json={"add": ["Be brief."]})
            )
            assert not (await asyncio.wait({edit}, timeout=1))[0]
            elsewhere("SELECT pg_advisory_unlock_all()")
            assert (await edit).status_code < 300
