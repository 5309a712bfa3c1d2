"""The same graph on the development server, driven by its SDK over HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, walks
from tests.support.server import Server


@pytest.fixture
async def client(open_server: Server) -> AsyncIterator[LangGraphClient]:
    async with open_server.sdk(None) as client:
        yield client


async def test_it_remembers_across_threads_and_streams(client: LangGraphClient) -> None:
    async def turn(text: str, user: str) -> dict[str, Any]:
        thread = await client.threads.create()
        return await client.runs.wait(  # type: ignore[return-value]
            thread["thread_id"],
            "agent",
            input={"messages": [{"role": "user", "content": text}]},
            context={"user_id": user},
        )

    assert "do not know" in (await turn("My dog is called Rex.", "ana"))["messages"][-1]["content"]
    told = await turn("What is my dog called?", "ana")
    assert told["messages"][-1]["content"] == "Your dog is called Rex."
    assert told["warnings"] == []
    stranger = await turn("What is my dog called?", "bob")
    assert "do not know" in stranger["messages"][-1]["content"]

    events = [
        event.event
        async for event in client.runs.stream(
            None,
            "agent",
            input={"messages": [{"role": "user", "content": "What is my dog called?"}]},
            context={"user_id": "ana"},
            stream_mode=["messages-tuple", "updates"],
        )
    ]
    assert events.count("messages") > 1
    assert events.count("updates") == 6


async def test_a_run_without_a_user_is_refused_in_one_sentence(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    result = await client.runs.wait(
        thread["thread_id"],
        "agent",
        input={"messages": [{"role": "user", "content": "Hello"}]},
        raise_error=False,
    )
    assert result["__error__"]["error"] == "UsageError"  # type: ignore[call-overload, index]
    assert "user_id" in result["__error__"]["message"]  # type: ignore[call-overload, index]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://smith.langchain.com", 200),
        ("http://localhost:3000", 200),
        ("https://a.example", 401),
    ],
)
async def test_of_other_pages_only_studio_may_ask(
    open_server: Server, origin: str, status: int
) -> None:
    async with open_server.http(None, {"Origin": origin}) as client:
        answer = await client.post("/assistants/search", json={})
        assert answer.status_code == status
        preflight = {"Access-Control-Request-Method": "POST"}
        assert (await client.options("/assistants/search", headers=preflight)).status_code == 200


async def test_the_developer_is_whoever_they_say(open_server: Server) -> None:
    async with open_server.sdk("dora") as dora, open_server.sdk(None) as nobody:
        turn = {"messages": [{"role": "user", "content": "My dog is called Rex."}]}
        await dora.runs.wait(None, "agent", input=turn)
        kept = ["users", user_key("dora"), "episodes"]
        assert len((await nobody.store.search_items(kept))["items"]) == 1


@pytest.mark.parametrize("user", ["bo", None])
async def test_the_store_is_read_only_to_the_developer_too(
    open_server: Server, user: str | None
) -> None:
    async with open_server.http("bo") as http:
        kept = json.dumps({"id": "kept", "query": "Rye bread?", "response": "Yes."})
        (await http.post("/me/import", content=kept)).raise_for_status()
    place = ["users", user_key("bo"), "episodes"]
    for wanted in (["anything"], place):
        async with open_server.http(user) as http:
            item = {"namespace": wanted, "key": "kept"}
            put = await http.put("/store/items", json={**item, "value": {}})
            deleted = await http.request("DELETE", "/store/items", json=item)
        assert (put.status_code, deleted.status_code) == (403, 403)
    async with open_server.http("bo") as http:
        episodes = (await http.get("/me/episodes")).json()["items"]
    assert [each["query"] for each in episodes] == ["Rye bread?"]


async def test_a_persona_is_aligned_on_its_users_thread(
    client: LangGraphClient, open_server: Server
) -> None:
    rule, said = next(iter(PREFERENCES.items()))
    told = [each.model_dump_json(exclude={"user_id"}) for each in walks(5, [rule])]
    async with open_server.http("anna") as http:
        (await http.post("/me/import", content="\n".join(told))).raise_for_status()
    thread = await client.threads.create(thread_id=alignment_thread("anna"), if_exists="do_nothing")
    state: Any = await client.runs.wait(
        thread["thread_id"],
        "alignment",
        input={"trigger": "test"},
        context={"user_id": "anna"},
        durability="sync",
    )
    assert (state["result"]["from_version"], state["result"]["to_version"]) == (1, 2)
    assert state["result"]["rules_after"][-1]["text"] == rule
    answered: Any = await client.runs.wait(
        None,
        "agent",
        input={"messages": [{"role": "user", "content": "Tell me about the barn?"}]},
        context={"user_id": "anna"},
    )
    assert answered["messages"][-1]["content"].endswith(said)
