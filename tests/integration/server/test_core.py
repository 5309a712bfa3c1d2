"""What the server is for, the same wherever it keeps its state: in memory, or in Postgres."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import alignment_thread
from tests.support.alignment import PREFERENCES, walks
from tests.support.server import Server, answers_from_memory, running_server

pytestmark = pytest.mark.integration
QUESTION = {"messages": [{"role": "user", "content": "What is my dog called?"}]}


@pytest.fixture(scope="module")
def server(backend: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("core"), answers_from_memory, **backend) as server:
        yield server


@pytest.fixture
async def ana(server: Server) -> AsyncIterator[LangGraphClient]:
    async with server.sdk("ana") as client:
        yield client


async def turn(client: LangGraphClient, text: str, **context: Any) -> Any:
    thread = await client.threads.create()
    said = {"messages": [{"role": "user", "content": text}]}
    return await client.runs.wait(thread["thread_id"], "agent", input=said, context=context)


def answer(state: Any) -> str:
    return str(state["messages"][-1]["content"])


async def test_it_remembers_its_user_across_threads(server: Server, ana: LangGraphClient) -> None:
    assert "do not know" in answer(await turn(ana, "My dog is called Rex."))
    told = await turn(ana, "What is my dog called?")
    assert (answer(told), told["warnings"]) == ("Your dog is called Rex.", [])
    async with server.sdk("a stranger") as stranger:
        assert "do not know" in answer(await turn(stranger, "Whose dog is Rex?", user_id="ana"))


async def test_it_streams(ana: LangGraphClient) -> None:
    events = [
        event.event
        async for event in ana.runs.stream(
            None, "agent", input=QUESTION, stream_mode=["messages-tuple", "updates"]
        )
    ]
    assert events.count("messages") > 1
    assert events.count("updates") == 4


async def test_a_thread_is_its_owners_alone(server: Server, ana: LangGraphClient) -> None:
    await turn(ana, "My dog is called Rex.")
    thread = (await ana.threads.search(limit=1))[0]["thread_id"]
    paths = [f"/threads/{thread}{rest}" for rest in ("", "/state", "/history")]
    for user, status in (("ana", 200), ("a stranger", 404), (None, 401)):
        async with server.http(user) as http:
            assert {(await http.get(path)).status_code for path in paths} == {status}
            asked = await http.post(
                f"/threads/{thread}/runs/wait", json={"assistant_id": "agent", "input": QUESTION}
            )
            assert asked.status_code == status


async def test_a_conversation_goes_on_on_its_thread(ana: LangGraphClient) -> None:
    thread = (await ana.threads.create())["thread_id"]
    for _ in range(2):
        await ana.runs.wait(thread, "agent", input=QUESTION)
    state: Any = await ana.threads.get_state(thread)
    assert [each["type"] for each in state["values"]["messages"]] == ["human", "ai"] * 2
    assert state["next"] == []


async def test_a_persona_is_aligned_on_its_users_thread(server: Server) -> None:
    rule, said = next(iter(PREFERENCES.items()))
    async with server.sdk("anna") as client, server.http("anna") as http:
        await labelled(http, rule)
        begun = await http.post("/me/alignments", json={})
        done = await client.runs.join(alignment_thread("anna"), begun.json()["id"])
        assert (done["result"]["from_version"], done["result"]["to_version"]) == (1, 2)
        assert done["result"]["rules_after"][-1]["text"] == rule
        assert answer(await turn(client, "Tell me about the barn?")).endswith(said)


async def test_of_two_alignments_at_once_one_is_published(server: Server) -> None:
    rule = next(iter(PREFERENCES))
    async with server.sdk("two") as client, server.http("two") as http:
        await labelled(http, rule)
        begun = await asyncio.gather(*(http.post("/me/alignments", json={}) for _ in range(2)))
        for run in {each.json()["id"] for each in begun}:
            await client.runs.join(alignment_thread("two"), run)
        history = (await http.get("/me/persona/versions")).json()["items"]
    assert sorted(each["version"] for each in history) == [1, 2]


async def labelled(http: httpx.AsyncClient, rule: str) -> None:
    """Import five walks whose user wanted this rule followed."""
    told = [each.model_dump_json(exclude={"user_id"}) for each in walks(5, [rule])]
    (await http.post("/me/import", content="\n".join(told))).raise_for_status()
    assert json.loads(told[0])["ground_truth"]
