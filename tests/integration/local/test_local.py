"""The agent on one machine: real files, other processes, and what goes wrong with both."""

import asyncio
import gc
import json
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from personaagent.core.errors import DataError, ServiceError, UsageError
from personaagent.core.records import Episode
from personaagent.core.settings import Role, Settings, load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.local.user_data import UserEpisodes
from personaagent.nodes.dependencies import Dependencies
from tests.support.embedder import BagEmbedder
from tests.support.endpoint import Cut, Endpoint, Stall, scripted_endpoint
from tests.support.endpoint import Reply as HttpReply
from tests.support.folders import contents
from tests.support.forks import Child, start
from tests.support.scripted_model import Prompt, Reply, ScriptedModels, scripted_dependencies


def on(endpoint: Endpoint | None, home: Path, **changes: Any) -> Settings:
    where = "http://127.0.0.1:9/v1" if endpoint is None else endpoint.base_url
    given = {"openai_base_url": where, "openai_api_key": "k", "model": "m", "model_retries": 0}
    return load_settings(**{"home": home, "embeddings": "openai:words", **given, **changes})


async def queries(agent: LocalAgent, user: str) -> list[str]:
    return [each.query async for each in agent.memory(user).episodes.oldest_first()]


def said(text: str) -> Episode:
    return Episode(user_id="anna", query=text, response="ok")


# Writes episodes of argv[2] and of "shared" until 30 are written, or the disk is full.
WRITER = """
import asyncio, resource, sys
from pathlib import Path
from personaagent.core.errors import DataError
from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local
from personaagent.local.user_data import UserEpisodes
from personaagent.nodes.dependencies import Dependencies
from tests.support.embedder import BagEmbedder

async def main(home, user, limit):
    settings = load_settings(home=Path(home), index_wait=0, openai_api_key="k")
    async with open_local(settings, Dependencies.from_settings(settings, BagEmbedder())) as agent:
        print("open", flush=True)
        sys.stdin.readline()
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for number in range(30 if not limit else 100_000):
            for each in (user, "shared"):
                episode = Episode(user_id=each, query=f"{user} {number}", response="long " * 50)
                try:
                    await agent.memory(each).remember(episode, version=1)
                except DataError as error:
                    print("error", error, flush=True)
                    return
                print("stored", each, number, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@contextmanager
def writer(home: Path, user: str, limit: int = 0) -> Iterator[Child]:
    with start(WRITER, str(home), user, str(limit)) as process:
        assert process.stdout.readline() == "open\n"
        yield process


def sound(home: Path) -> bool:
    """Whether SQLite finds nothing wrong with either database."""
    results = []
    for name in ("memory.sqlite", "checkpoints.sqlite"):
        connection = sqlite3.connect(home / name)
        results.append(connection.execute("PRAGMA integrity_check").fetchone())
        connection.close()
    return results == [("ok",), ("ok",)]


async def test_two_processes_write_at_once(tmp_path: Path) -> None:
    with writer(tmp_path, "anna") as one, writer(tmp_path, "ben") as other:
        for process in (one, other):
            process.stdin.write("\n")
            process.stdin.flush()
        printed = [process.communicate() for process in (one, other)]
    assert [errors for _, errors in printed] == ["", ""]
    assert all(out.count("stored") == 60 for out, _ in printed)
    assert sound(tmp_path)
    settings = on(None, tmp_path)
    async with open_local(settings, Dependencies.from_settings(settings, BagEmbedder())) as agent:
        assert len(set(await queries(agent, "shared"))) == 60
        assert [len(await queries(agent, user)) for user in ("anna", "ben")] == [30, 30]
        for user, number in (("anna", 30), ("ben", 30), ("shared", 60)):
            memory = agent.memory(user)
            await memory.indexer.refresh(100)
            index = memory.indexer.index.index_of("bag-of-words")
            assert await index.count(memory.store.key) == number, "what one could not index, later"


async def test_a_full_disk(tmp_path: Path) -> None:
    with writer(tmp_path, "anna", limit=1_500_000) as process:
        out, errors = process.communicate("\n")
    assert errors == ""
    *stored, last = out.splitlines()
    assert last.startswith("error The disk is full"), last
    assert len(stored) > 10
    assert sound(tmp_path)
    async with open_local(on(None, tmp_path)) as agent:
        for user in ("anna", "shared"):
            numbers = [line.split()[2] for line in stored if line.split()[1] == user]
            assert {f"anna {number}" for number in numbers} <= set(await queries(agent, user))
        await agent.memory("anna").episodes.add([said("there is room again")])
        assert "there is room again" in await queries(agent, "anna")


@pytest.mark.parametrize("name", ["memory.sqlite", "checkpoints.sqlite"])
@pytest.mark.parametrize("how", ["garbage", "a page"])
async def test_a_damaged_database(tmp_path: Path, name: str, how: str) -> None:
    with scripted_endpoint(lambda body: "ok") as endpoint:
        async with open_local(on(endpoint, tmp_path)) as agent:
            await agent.memory("anna").episodes.add([said(f"text {n} " * 50) for n in range(50)])
            await agent.ask("hello", "anna", thread_id="t")
        file = tmp_path / name
        content = file.read_bytes()
        damaged = (
            b"garbage" * 999 if how == "garbage" else content[:100] + b"\xff" * (len(content) - 100)
        )
        file.write_bytes(damaged)
        with pytest.raises(DataError) as caught:
            async with open_local(on(endpoint, tmp_path)) as agent:
                await agent.ask("hello", "anna", thread_id="t")
    assert "database in the data folder is damaged" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == damaged, "it is left for the user to rescue"


async def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError) as caught:
        async with open_local(on(None, tmp_path / "file" / "home")):
            pass
    assert "\n" not in str(caught.value)


async def test_all_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with scripted_endpoint(lambda body: "ok") as endpoint:
        async with open_local(on(endpoint, home)) as agent:
            await agent.ask("hello", "anna")
            modes = {path: path.stat().st_mode & 0o077 for path in (home, *home.glob("*"))}
    names = {path.name for path in modes}
    assert {"memory.sqlite", "memory.sqlite-wal", "checkpoints.sqlite"} <= names
    assert {path.name for path, mode in modes.items() if path.is_file() and mode} == set()
    assert modes[home] == 0


TURN = """
import asyncio, sys
from pathlib import Path
from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local

async def main(home, url):
    settings = load_settings(home=Path(home), openai_base_url=url, openai_api_key="k", model="m",
                             embeddings="openai:words")
    async with open_local(settings) as agent:
        for number in range(3):
            await agent.ask(f"question {number}", "anna", thread_id="t")
        await agent.ask("stall", "anna", thread_id="t")

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_kill_during_a_turn_loses_no_episode(tmp_path: Path) -> None:
    stalled = threading.Event()

    def answer(body: dict[str, Any]) -> HttpReply:
        if body["messages"][-1]["content"] == "stall":
            stalled.set()
            return Stall("half an")
        return "ok"

    with scripted_endpoint(answer) as endpoint:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", TURN, str(tmp_path), endpoint.base_url
        )
        assert await asyncio.to_thread(stalled.wait, 60)
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        async with open_local(on(endpoint, tmp_path)) as agent:
            assert await queries(agent, "anna") == ["question 0", "question 1", "question 2"]
            recalled = await agent.memory("anna").recall("question 1", 3)
            assert (len(recalled.episodes), recalled.warnings) == (3, [])
            assert (await agent.ask("and now?", "anna", thread_id="t")).reply == "ok"
    assert sound(tmp_path)


async def test_the_summary_is_refreshed_beside_the_conversation(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> Reply:
        if "response_format" not in prompt.options:
            return "ok"
        change = {"statement": "new", "text": "The user counts.", "evidence": ["E1", "E2"]}
        return json.dumps({"changes": [change]})

    answered = asyncio.Event()

    class LateCritic(ScriptedModels):
        async def chat(self, role: Role) -> BaseChatModel:
            if role == "critic":
                await answered.wait()
            return await super().chat(role)

    settings = on(None, tmp_path, summary_every=2)
    deps, _ = scripted_dependencies(settings, answer)
    models = LateCritic(deps.models.model)  # type: ignore[attr-defined]
    async with open_local(settings, replace(deps, models=models)) as agent:  # type: ignore[arg-type]
        ids = [(await agent.ask(text, "anna")).episode_id for text in ("one", "two", "three")]
        assert (await agent.memory("anna").profile.read()).summary == []
        assert models.asked == ["actor"] * 3
        answered.set()
    assert models.asked == ["actor"] * 3 + ["critic"], "leaving waits for it"
    async with open_local(settings, scripted_dependencies(settings, answer)[0]) as agent:
        [statement] = (await agent.memory("anna").profile.read()).summary
        assert (statement.text, statement.evidence[:1]) == ("The user counts.", ids[:1])


async def test_the_profile_reads_an_import_in_the_background(tmp_path: Path) -> None:
    settings = on(None, tmp_path, summary_every=2)
    deps, _ = scripted_dependencies(settings, _counting)
    file = tmp_path / "history.jsonl"
    file.write_text("\n".join(json.dumps({"query": f"q{n}", "response": "r"}) for n in range(3)))
    async with open_local(settings, deps) as agent:
        imported = await UserEpisodes(agent, "anna").import_file(file)
        assert (imported.added, imported.to_summarise) == (3, 3)
        await deps.refreshing.finish()
        [statement] = (await agent.memory("anna").profile.read()).summary
        assert statement.text == "The user counts."


def _counting(prompt: Prompt) -> str:
    change = {"statement": "new", "text": "The user counts.", "evidence": ["E1"]}
    return json.dumps({"changes": [change]})


async def test_a_critic_that_fails_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gc.collect()  # what earlier tests left behind may be told of now, not as this one's
    caplog.clear()
    with scripted_endpoint(lambda body: Cut() if "response_format" in body else "ok") as endpoint:
        async with open_local(on(endpoint, tmp_path, summary_every=1)) as agent:
            for text in ("one", "two"):
                assert (await agent.ask(text, "anna")).reply == "ok"
        async with open_local(on(endpoint, tmp_path, summary_every=0)) as agent:
            assert len(await queries(agent, "anna")) == 2
            assert await agent.memory("anna").profile.summary_due(2), "it is tried again"
    assert not [each for each in caplog.records if each.levelname in ("WARNING", "ERROR")]


async def test_a_turn_that_fails_stores_nothing_and_the_thread_goes_on(tmp_path: Path) -> None:
    replies: list[HttpReply] = ["fine", Cut("half"), "fine again"]
    with scripted_endpoint(lambda body: replies.pop(0)) as endpoint:
        async with open_local(on(endpoint, tmp_path)) as agent:
            await agent.ask("one", "anna", thread_id="t")
            with pytest.raises(ServiceError):
                await agent.ask("two", "anna", thread_id="t")
            assert await queries(agent, "anna") == ["one"]
            assert (await agent.ask("three", "anna", thread_id="t")).reply == "fine again"
            assert await queries(agent, "anna") == ["one", "three"]


async def test_a_turn_that_is_cancelled_leaves_the_store_usable(tmp_path: Path) -> None:
    with scripted_endpoint(lambda body: "ok") as endpoint:
        async with open_local(on(endpoint, tmp_path)) as agent:
            for wait in range(1, 12):
                turn = asyncio.create_task(agent.ask("hello", "anna"))
                for _ in range(wait * wait * 3):  # break off at another place each time
                    await asyncio.sleep(0)
                turn.cancel()
                await asyncio.gather(turn, return_exceptions=True)
                await agent.memory("anna").episodes.add([said(f"still {wait}")])
            assert (await agent.ask("hello", "anna")).reply == "ok"
    assert sound(tmp_path)


def holding(home: Path, word: bytes) -> list[str]:
    """The files of the data folder that hold ``word``."""
    return [path.name for path, held in contents(home).items() if word in held]


async def test_incognito_leaves_no_trace_in_the_files(tmp_path: Path) -> None:
    with scripted_endpoint(lambda body: "the answer xylograph") as endpoint:
        async with open_local(on(endpoint, tmp_path)) as agent:
            await agent.ask("remember the pangolin", "anna", thread_id="t")
            await agent.ask("about the okapi", "anna", thread_id="t", incognito=True)
            assert holding(tmp_path, b"pangolin")
            assert holding(tmp_path, b"okapi") == []


async def test_what_is_forgotten_is_gone_from_the_files(tmp_path: Path) -> None:
    with scripted_endpoint(lambda body: "ok") as endpoint:
        async with open_local(on(endpoint, tmp_path)) as agent:
            first = await agent.ask("about the pangolin", "anna", thread_id="t")
            await agent.ask("what was it", "anna", thread_id="u", top_k=5)
            await agent.forget("anna", [str(first.episode_id)])
        assert holding(tmp_path, b"pangolin") == []


@pytest.mark.parametrize(
    "options", [{"thread_id": "a\x00b"}, {"thread_id": "x" * 129}, {"task": " "}]
)
async def test_options_that_are_refused(tmp_path: Path, options: dict[str, str]) -> None:
    async with open_local(on(None, tmp_path)) as agent:
        with pytest.raises(UsageError):
            await agent.ask("hello", "anna", **options)
