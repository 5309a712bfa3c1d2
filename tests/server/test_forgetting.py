"""Forgetting beside whoever writes at the same moment, on the development server and on Postgres."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.users import user_key
from tests.support.endpoint import Reply, Stall
from tests.support.postgres import postgres_folder
from tests.support.server import Server, answers_from_memory, running_server

STALLS = "Take your time."
"""What is asked so is never answered."""
AT_ONCE = 24
IMPORTED = 3000
USERS = count()


def never_answers_some(body: dict[str, Any]) -> Reply:
    """A model that thinks for ever about one question."""
    return Stall() if STALLS in str(body["messages"]) else answers_from_memory(body)


@pytest.fixture(scope="module")
def server(backend: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("forgetting")
    with running_server(folder, never_answers_some, **backend) as running:
        yield running


@dataclass(frozen=True)
class Person:
    """A user of the server: by our routes, and by the SDK."""

    name: str
    http: httpx.AsyncClient
    sdk: LangGraphClient

    async def import_(self, *episodes: dict[str, Any]) -> httpx.Response:
        lines = [json.dumps({"response": "r"} | each) for each in episodes]
        return await self.http.post("/me/import", content="\n".join(lines), timeout=300)

    async def ask(self, text: str) -> dict[str, Any]:
        """Begin a run on a thread of its own."""
        thread = (await self.sdk.threads.create())["thread_id"]
        return dict(await self.sdk.runs.create(thread, "agent", input=message(text)))

    async def forget(self) -> httpx.Response:
        return await self.http.delete("/me", timeout=120)

    async def left(self) -> list[Any]:
        """All that the server still has of them."""
        items = await self.sdk.store.search_items(["users", user_key(self.name)], limit=100)
        return [*items["items"], *await self.sdk.threads.search(limit=100)]


@pytest.fixture
async def person(server: Server) -> AsyncIterator[Person]:
    name = f"forgetful-{next(USERS)}"
    async with server.http(name) as http, server.sdk(name) as sdk:
        yield Person(name, http, sdk)


def message(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def everything(server: Server, database: str | None) -> bytes:
    """All that the server keeps: of its data folder the databases, and of Postgres a dump."""
    files = b"".join(each.read_bytes() for each in server.folder.glob("home/*.sqlite*"))
    binaries = postgres_folder()
    if database is None or binaries is None:
        return files
    dump = [binaries / "pg_dump", "--data-only", database]
    return files + subprocess.run(dump, capture_output=True, check=True, timeout=120).stdout


async def asked(server: Server, text: str) -> None:
    """Wait until the model was asked this."""

    async def is_asked() -> bool:
        return any(text in str(each.body) for each in server.endpoint.requests)

    await until(is_asked)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until this holds, at most two minutes."""
    retrying = AsyncRetrying(
        retry=retry_if_result(lambda held: not held),
        stop=stop_after_delay(120),
        wait=wait_fixed(0.1),
    )
    await retrying(holds)


async def test_all_of_many_episodes_that_are_forgotten_at_once_are_gone(person: Person) -> None:
    ids = [f"e{number}" for number in range(AT_ONCE)]
    drawn = [{"id": id, "query": id, "metadata": {"recalled": ids}} for id in ids]
    (await person.import_(*drawn, {"id": "stays", "query": "stays"})).raise_for_status()
    deleted = [person.http.delete(f"/me/episodes/{id}", timeout=280) for id in ids]
    answers = await asyncio.gather(*deleted)
    assert {answer.status_code for answer in answers} == {200}, [each.text for each in answers]
    left = (await person.http.get("/me/episodes")).json()["items"]
    assert [each["id"] for each in left] == ["stays"]


async def test_the_same_episode_is_forgotten_twice_at_once(person: Person) -> None:
    (await person.import_({"id": "e1", "query": "q"})).raise_for_status()
    both = [person.http.delete("/me/episodes/e1", timeout=120) for _ in range(2)]
    statuses = {answer.status_code for answer in await asyncio.gather(*both)}
    assert statuses <= {200, 404}
    assert (await person.http.get("/me/episodes/e1")).status_code == 404


async def test_a_user_whose_only_thread_is_the_alignments_is_forgotten(person: Person) -> None:
    (await person.import_({"id": "e1", "query": "q", "signal": "accept"})).raise_for_status()
    run = (await person.http.post("/me/alignments", json={"dry_run": True})).json()
    await person.sdk.runs.join(alignment_thread(person.name), run["id"])
    for _ in range(2):
        answer = await person.forget()
        assert answer.status_code == 200, answer.text
    assert await person.left() == []


async def test_a_stateless_run_under_way_does_not_keep_anybody_from_forgetting(
    person: Person, server: Server, backend: dict[str, Any]
) -> None:
    text = f"{STALLS} I am {person.name}."
    (await person.import_({"id": "e1", "query": "q"})).raise_for_status()
    run = asyncio.create_task(person.sdk.runs.wait(None, "agent", input=message(text)))
    try:
        await asked(server, text)
        answer = await person.forget()
        assert answer.status_code == 200, answer.text
        assert await person.left() == []
        assert text.encode() not in everything(server, backend.get("DATABASE_URL"))
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_a_turn_under_way_leaves_nothing_of_a_user_who_is_forgotten(
    person: Person, server: Server, backend: dict[str, Any]
) -> None:
    text = f"{STALLS} I am {person.name}, with a thread."
    await person.ask(text)
    await asked(server, text)
    answer = await person.forget()
    assert answer.status_code == 200, answer.text
    assert await person.left() == []
    assert text.encode() not in everything(server, backend.get("DATABASE_URL"))


async def test_an_import_under_way_ends_and_nothing_of_it_stays(person: Person) -> None:
    (await person.import_({"id": "first", "query": "q"})).raise_for_status()
    episodes = [{"id": f"i{n}", "query": f"question {n}"} for n in range(IMPORTED)]
    importing = asyncio.create_task(person.import_(*episodes))

    async def has_begun() -> bool:
        return len((await person.http.get("/me/episodes?limit=5")).json()["items"]) > 1

    await until(has_begun)
    receipt = (await person.forget()).raise_for_status().json()
    assert len(receipt["episodes"]) < IMPORTED, "it was still under way"
    imported = await importing
    assert (imported.status_code, "was forgotten" in imported.text) == (409, True), imported.text
    assert (await person.http.get("/me/export")).content == b""
    assert await person.left() == []


async def test_feedback_beside_forgetting_brings_nothing_back(person: Person) -> None:
    ids = [f"e{number}" for number in range(8)]
    (await person.import_(*({"id": id, "query": id} for id in ids))).raise_for_status()
    label = {"signal": "edit", "text": "a secret"}
    at_once = [
        person.http.put(f"/me/episodes/{id}/feedback", json=label, timeout=120) for id in ids
    ]
    *told, receipt = await asyncio.gather(*at_once, person.forget())
    assert receipt.status_code == 200, receipt.text
    assert {answer.status_code for answer in told} <= {200, 404, 409}
    assert await person.left() == []
