"""A full disk costs the development server what it cannot write, and nothing else."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient

from tests.support.server import Server, answers_from_memory, running_server

TURNS = 60
"""More than fit on the disk."""
ROOM = 150_000
"""Bytes: for some turns."""
DOG, QUESTION = "My dog is called Rex.", "What is my dog called?"
LONG = "A walk by the sea. " * 400
IMPORTED = b"".join(b'{"query": "%d", "response": "%s"}\n' % (n, b"x" * 900) for n in range(900))


@contextmanager
def full_disk(server: Server) -> Iterator[None]:
    """No file of the server grows much beyond its largest database."""
    home = server.folder / "home"
    limit = ROOM + max(file.stat().st_size for file in home.glob("*.sqlite*"))
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, -1))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


async def turn(sdk: LangGraphClient, text: str) -> Any:
    asked: Any = {"messages": [{"role": "user", "content": text}]}
    return await sdk.runs.wait(None, "agent", input=asked, raise_error=False)


async def fill(sdk: LangGraphClient) -> list[str]:
    """Ask until a turn fails; what was said in those that did not."""
    stored: list[str] = []
    while "__error__" not in await turn(sdk, said := f"{len(stored)}: {LONG}"):
        stored.append(said)
        assert len(stored) < TURNS
    return stored


async def queries(http: httpx.AsyncClient) -> list[str]:
    answer = await http.get("/me/episodes", params={"limit": 100})
    answer.raise_for_status()
    return [each["query"] for each in answer.json()["items"]]


async def test_a_full_disk_never_ends_the_server_and_costs_nothing_that_was_stored(
    tmp_path: Path,
) -> None:
    with running_server(tmp_path, answers_from_memory) as server:
        async with server.sdk("ana") as sdk, server.http("ana") as http:
            await turn(sdk, DOG)
            with full_disk(server):
                stored = await fill(sdk)
                refused = await http.post("/me/import", content=IMPORTED)
                assert refused.status_code == 503, refused.text
                assert "DataError" in refused.json()["detail"]
                assert (await http.get("/ok")).status_code == 200
                assert {DOG, *stored} <= {*await queries(http)}
            done = await turn(sdk, QUESTION)
            assert done["messages"][-1]["content"] == "Your dog is called Rex."
            assert {DOG, *stored, QUESTION} <= {*await queries(http)}
        assert "The disk is full: make room and try again" in server.log
