"""What one user may ask of a server, on the development server and on Postgres."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langgraph_sdk.errors import APIStatusError

from personaagent.core.alignment_state import alignment_thread
from tests.support.alignment import PREFERENCES, walks
from tests.support.server import Server, answers_from_memory, running_server

LONGEST_BODY = 100_000
DAILY_CALLS = 12
DAILY_TOKENS = 800
PER_MINUTE = 60
TURN = {"messages": [{"role": "user", "content": "What is my dog called?"}]}
CHAT = {"model": "personaagent", "messages": TURN["messages"]}
LONG = {"metadata": {"note": "x" * LONGEST_BODY}}


@pytest.fixture(scope="module")
def server(backend: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("limits")
    with running_server(
        folder,
        answers_from_memory,
        PERSONAAGENT_MAX_BODY_BYTES=str(LONGEST_BODY),
        PERSONAAGENT_ALIGN_DAILY_CALLS=str(DAILY_CALLS),
        PERSONAAGENT_DAILY_TOKENS=str(DAILY_TOKENS),
        PERSONAAGENT_REQUESTS_PER_MINUTE=str(PER_MINUTE),
        PERSONAAGENT_DAILY_IMPORT_BYTES="20000",
        **backend,
    ) as server:
        yield server


def lines(wanted: list[str]) -> str:
    return "\n".join(each.model_dump_json(exclude={"user_id"}) for each in walks(8, wanted))


@pytest.mark.parametrize("path", ["/threads", "/threads/search", "/runs", "/store/items/search"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_no_route_takes_a_body_that_is_too_long(
    server: Server, path: str, chunked: bool
) -> None:
    async with server.http("long") as client:
        body = httpx.Request("POST", server.url, json=LONG).content

        async def parts() -> Any:
            for start in range(0, len(body), 10_000):
                yield body[start : start + 10_000]

        headers = {"Content-Type": "application/json"}
        answer = await client.post(path, content=parts() if chunked else body, headers=headers)
    assert answer.status_code == 413, answer.text
    assert "too long" in answer.text


async def test_an_alignment_runs_on_its_users_own_thread_only(server: Server) -> None:
    async with server.sdk("stray") as client:
        thread = (await client.threads.create())["thread_id"]
        for on in (thread, None):
            with pytest.raises(APIStatusError, match="own thread only"):
                await client.runs.create(on, "alignment", input={"trigger": "mine"})
        with pytest.raises(APIStatusError, match="own thread only"):
            await client.crons.create_for_thread(
                thread, "alignment", schedule="0 3 * * *", input={"trigger": "mine"}
            )
        own = await client.assistants.create("alignment")
        run = await client.runs.create(thread, own["assistant_id"], input={"trigger": "mine"})
        await client.runs.join(thread, run["run_id"])
        assert (await client.runs.get(thread, run["run_id"]))["status"] == "error"


async def test_alignments_at_once_make_no_more_calls_than_the_day_allows(server: Server) -> None:
    async with server.http("learner") as http, server.sdk("learner") as client:
        assert (await http.post("/me/import", content=lines([*PREFERENCES][:2]))).is_success
        before = len(server.endpoint.requests)
        started = await asyncio.gather(*(http.post("/me/alignments", json={}) for _ in range(6)))
        assert any(each.is_success for each in started)
        thread = alignment_thread("learner")
        for run in await client.runs.list(thread):
            await client.runs.join(thread, run["run_id"])
        assert 0 < chats(server, before) <= DAILY_CALLS
        assert (await http.request("DELETE", "/me")).is_success
        assert (await http.post("/me/import", content=lines([*PREFERENCES][:2]))).is_success
        again = (await http.post("/me/alignments", json={})).json()
        await client.runs.join(thread, again["id"])
        assert chats(server, before) <= DAILY_CALLS, "forgetting does not refill the day"


async def test_a_user_whose_tokens_are_spent_waits_until_tomorrow(server: Server) -> None:
    async with server.sdk("talker") as client, server.http("talker") as http:
        refused = None
        for _ in range(30):
            try:
                await client.runs.wait(None, "agent", input=TURN)
            except httpx.HTTPStatusError as error:
                refused = error.response
                break
        assert refused is not None
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600
        assert "used up" in refused.json()["detail"]
        assert (await http.get("/me/episodes")).is_success, "what costs nothing goes on"
        openai = await http.post("/v1/chat/completions", json=CHAT)
        assert openai.status_code == 429
        assert int(openai.headers["Retry-After"]) > 0
        assert "used up" in openai.json()["error"]["message"]
    async with server.sdk("another") as client:
        assert await client.runs.wait(None, "agent", input=TURN)


async def test_uploads_of_a_day_are_counted(server: Server) -> None:
    async with server.http("uploader") as http:
        body = "\n" * 9000 + lines([])
        answers = [await http.post("/me/import", content=body) for _ in range(4)]
    assert [each.status_code for each in answers][-1] == 429
    assert answers[0].is_success
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_who_asks_too_often_waits(server: Server) -> None:
    async with server.http("hasty") as http:
        answers = [await http.get("/me/persona") for _ in range(PER_MINUTE + 5)]
        more = await http.post("/threads/search", json={})
    refused = [each for each in answers if each.status_code == 429]
    assert refused or more.status_code == 429
    assert all(1 <= int(each.headers["Retry-After"]) <= 60 for each in refused)
    async with server.http("patient") as http:
        assert (await http.get("/me/persona")).is_success


def chats(server: Server, since: int) -> int:
    """How many calls of a chat model the endpoint has had since then."""
    return sum("messages" in each.body for each in server.endpoint.requests[since:])
