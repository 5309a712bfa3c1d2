"""``personaagent serve`` and the command use one data folder, at the same time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.settings import load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.data_folder import conversation_thread, open_files
from tests.support.alignment import PREFERENCES, walks
from tests.support.kills import until
from tests.support.our_routes import ask
from tests.support.server import Server, answers_from_memory, running_server

REX = "My dog is called Rex."
ASKED = "What is my dog called?"
ANSWERED = "Your dog is called Rex."


def messages(text: str) -> Any:
    """The input of a turn."""
    return {"messages": [{"role": "user", "content": text}]}


@pytest.fixture
async def command(token_server: Server) -> AsyncIterator[LocalAgent]:
    """The agent of the command line, on the data folder of the running server."""
    settings = load_settings(
        home=token_server.folder / "home",
        openai_base_url=token_server.endpoint.base_url,
        openai_api_key="none",
        model="scripted",
        embeddings="openai:test",
        align_text_metric="rouge",
    )
    async with open_local(settings) as agent:
        yield agent


def bytes_on_disk(server: Server, text: str) -> list[str]:
    """The files in which the text can be read."""
    places = (server.folder / "home", server.folder / ".langgraph_api")
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    return [file.name for file in files if text.encode() in file.read_bytes()]


async def test_what_is_told_to_the_command_the_server_recalls(
    token_server: Server, command: LocalAgent
) -> None:
    await command.ask(REX, "told-command")
    async with token_server.sdk("told-command") as sdk:
        turn = await ask(sdk, ASKED)
    assert (turn["messages"][-1]["content"], turn["warnings"]) == (ANSWERED, [])


async def test_what_is_told_to_the_server_the_command_recalls(
    token_server: Server, command: LocalAgent
) -> None:
    async with token_server.sdk("told-server") as sdk:
        await ask(sdk, REX)
    answer = await command.ask(ASKED, "told-server")
    assert (answer.reply, answer.warnings) == (ANSWERED, [])


async def test_both_write_at_once(token_server: Server, command: LocalAgent) -> None:
    async with token_server.sdk("both") as sdk, asyncio.TaskGroup() as turns:
        for number in range(5):
            turns.create_task(ask(sdk, f"Server {number}."))
            turns.create_task(command.ask(f"Command {number}.", "both"))
    queries = {episode.query async for episode in command.memory("both").episodes.scan()}
    assert queries == {f"{who} {number}." for who in ("Server", "Command") for number in range(5)}


async def test_a_server_that_is_killed_after_a_turn_has_lost_nothing_of_it(tmp_path: Path) -> None:
    with running_server(tmp_path, answers_from_memory) as server:
        async with server.sdk("ana") as sdk:
            thread = (await sdk.threads.create())["thread_id"]
            await sdk.runs.wait(thread, "agent", input=messages(REX))
        server.process.kill()
        server.process.wait()
    with running_server(tmp_path, answers_from_memory) as server:
        async with server.sdk("ana") as sdk, server.sdk("bob") as stranger:
            state: Any = await sdk.threads.get_state(thread)
            assert state["values"]["messages"][0]["content"] == REX
            again: Any = await sdk.runs.wait(thread, "agent", input=messages(ASKED))
            assert len(again["messages"]) == 4
            assert again["messages"][-1]["content"] == ANSWERED
            assert [each["thread_id"] for each in await sdk.threads.search()] == [thread]
            assert await stranger.threads.search() == []
        async with server.http("ana") as http:
            episodes = (await http.get("/me/episodes")).json()["items"]
    assert [episode["query"] for episode in episodes] == [ASKED, REX]


async def test_forgetting_over_http_deletes_the_commands_conversation_too(
    token_server: Server, command: LocalAgent
) -> None:
    secret = "Ganymede is where the key lies."
    answer = await command.ask(secret, "forgetful", thread_id="trip")
    async with token_server.http("forgetful") as http, token_server.sdk("forgetful") as sdk:
        await ask(sdk, "Where is the key?")
        receipt = (await http.delete(f"/me/episodes/{answer.episode_id}")).json()
        assert conversation_thread("forgetful", "trip") in receipt["threads"]
        assert len(receipt["threads"]) == 2, "it was recalled into the server's thread"
        assert await sdk.threads.search() == []
        await command.ask(secret, "forgetful", thread_id="trip")
        assert (await http.delete("/me")).is_success
    async with open_files(token_server.folder / "home") as files:
        assert await files.threads("forgetful") == []
    await until(lambda: bytes_on_disk(token_server, "Ganymede is where") == [])


async def test_what_the_command_forgets_leaves_the_servers_threads(
    token_server: Server, command: LocalAgent
) -> None:
    async with token_server.sdk("by-command") as sdk:
        turn = await ask(sdk, "Callisto is where the key lies.")
        untouched = (await sdk.threads.create())["thread_id"]
        receipt = await command.forget("by-command", [turn["episode_id"]])
        assert receipt.threads == [turn["thread_id"]]
        await until(lambda: threads_of(token_server, "by-command") == [untouched])
        await ask(sdk, "Callisto is where the key lies.")
        await command.forget_all("by-command")
        await until(lambda: threads_of(token_server, "by-command") == [untouched])
    await until(lambda: bytes_on_disk(token_server, "Callisto is where") == [])


def threads_of(server: Server, user: str) -> list[str]:
    """The user's threads on the server."""
    found = httpx.post(f"{server.url}/threads/search", json={}, headers=server.headers(user))
    return [each["thread_id"] for each in found.json()]


async def test_one_of_the_two_aligns_a_user_at_a_time(
    token_server: Server, command: LocalAgent
) -> None:
    rule = next(iter(PREFERENCES))
    await command.memory("aligned").episodes.add(
        [each.model_copy(update={"user_id": "aligned"}) for each in walks(5, [rule])]
    )
    async with (
        token_server.http("aligned") as http,
        token_server.sdk("aligned") as sdk,
        open_files(token_server.folder / "home") as files,
    ):
        with files.exclusive("aligned"):
            for refused in (
                await http.post("/me/alignments", json={}),
                await http.delete("/me"),
            ):
                assert refused.status_code == 409
                assert "being aligned by another process" in refused.json()["detail"]
            await sdk.threads.create(thread_id=alignment_thread("aligned"), if_exists="do_nothing")
            failed: Any = await sdk.runs.wait(
                alignment_thread("aligned"),
                "alignment",
                input={"trigger": "test"},
                raise_error=False,
            )
            assert "being aligned by another process" in failed["__error__"]["message"]
        begun = (await http.post("/me/alignments", json={})).json()
        await sdk.runs.join(alignment_thread("aligned"), begun["id"])
        details = (await http.get(f"/me/alignments/{begun['id']}")).text
        assert (await http.get("/me/persona")).json()["version"] == 2, details
    assert (await command.memory("aligned").personas.current()).rules[-1].text == rule


async def test_many_threads_deleted_at_once_take_no_other_with_them(token_server: Server) -> None:
    async with token_server.sdk("deleting") as sdk:
        threads = [(await sdk.threads.create())["thread_id"] for _ in range(24)]
        await asyncio.gather(*(sdk.threads.delete(thread) for thread in threads[::2]))
        left = {each["thread_id"] for each in await sdk.threads.search(limit=100)}
    assert left == {*threads[1::2]}


async def test_a_copied_thread_goes_on_by_itself(token_server: Server) -> None:
    async with token_server.sdk("copying") as sdk:
        thread = (await sdk.threads.create())["thread_id"]
        await sdk.runs.wait(thread, "agent", input=messages(REX))
        await sdk.threads.copy(thread)
        [copy] = [
            each["thread_id"] for each in await sdk.threads.search() if each["thread_id"] != thread
        ]
        history = [await sdk.threads.get_history(each, limit=50) for each in (thread, copy)]
        assert len(history[0]) == len(history[1]) > 3
        assert {state["metadata"]["thread_id"] for state in history[1]} == {copy}
        again: Any = await sdk.runs.wait(copy, "agent", input=messages(ASKED))
        assert len(again["messages"]) == 4
        await sdk.threads.delete(thread)
        state: Any = await sdk.threads.get_state(copy)
        assert len(state["values"]["messages"]) == 4


async def test_an_answer_is_made_again_from_the_checkpoint_before_it(token_server: Server) -> None:
    async with token_server.sdk("again") as sdk:
        thread = (await sdk.threads.create())["thread_id"]
        await sdk.runs.wait(thread, "agent", input=messages(REX))
        await sdk.runs.wait(thread, "agent", input=messages(ASKED))
        history = await sdk.threads.get_history(thread, limit=50)
        [before] = [
            each["checkpoint"]
            for each in history
            if each["next"] == ["recall"] and len(each["values"]["messages"]) == 3
        ]
        again: Any = await sdk.runs.wait(thread, "agent", checkpoint=before)
        assert [each["type"] for each in again["messages"]] == ["human", "ai"] * 2
        assert again["messages"][-1]["content"] == ANSWERED
