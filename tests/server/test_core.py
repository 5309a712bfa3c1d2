"""What the server is for, the same wherever it keeps its state: in memory, or in Postgres.

All that holds on one of the two only has a file of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, walks
from tests.support.our_routes import ask, ids, import_, lines, question
from tests.support.server import Server

QUESTION = {"messages": [{"role": "user", "content": "What is my dog called?"}]}


def answer(state: Any) -> str:
    return str(state["messages"][-1]["content"])


async def test_it_remembers_its_user_across_threads(
    server: Server, sdk: LangGraphClient, user: str
) -> None:
    assert "do not know" in answer(await ask(sdk, "My dog is called Rex."))
    told = await ask(sdk, "What is my dog called?")
    assert (answer(told), told["warnings"]) == ("Your dog is called Rex.", [])
    async with server.sdk(f"{user}-stranger") as stranger:
        assert "do not know" in answer(await ask(stranger, "Whose dog is Rex?", user_id=user))


async def test_it_streams(sdk: LangGraphClient) -> None:
    events = [
        event.event
        async for event in sdk.runs.stream(
            None, "agent", input=QUESTION, stream_mode=["messages-tuple", "updates"]
        )
    ]
    assert events.count("messages") > 1
    assert events.count("updates") == 6


async def test_a_thread_is_its_owners_alone(
    server: Server, sdk: LangGraphClient, user: str
) -> None:
    thread = (await ask(sdk, "My dog is called Rex."))["thread_id"]
    paths = [f"/threads/{thread}{rest}" for rest in ("", "/state", "/history")]
    for caller, status in ((user, 200), (f"{user}-stranger", 404), (None, 401)):
        async with server.http(caller) as http:
            assert {(await http.get(path)).status_code for path in paths} == {status}
            asked = await http.post(
                f"/threads/{thread}/runs/wait", json={"assistant_id": "agent", "input": QUESTION}
            )
            assert asked.status_code == status


async def test_a_conversation_goes_on_on_its_thread(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    for _ in range(2):
        await sdk.runs.wait(thread, "agent", input=QUESTION)
    state: Any = await sdk.threads.get_state(thread)
    assert [each["type"] for each in state["values"]["messages"]] == ["human", "ai"] * 2
    assert state["next"] == []


async def test_a_turn_becomes_an_episode_that_can_be_corrected_and_found(
    http: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    turn = await ask(sdk, "My dog is called Rex.")
    place = f"/me/episodes/{turn['episode_id']}"
    assert (await http.get(place)).json()["query"] == "My dog is called Rex."
    corrected = await http.put(f"{place}/feedback", json={"signal": "edit", "text": "Noted: Rex."})
    assert (corrected.json()["signal"], corrected.json()["ground_truth"]) == ("edit", "Noted: Rex.")
    assert (await http.get(place)).json() == corrected.json()
    found = await http.post("/me/episodes/search", json={"text": "dog called", "top_k": 1})
    assert [each["id"] for each in found.json()] == [turn["episode_id"]]
    assert (await http.get("/me/profile")).json()["facts"][0]["count"] == 1
    reject = {"signal": "reject"}
    assert (await http.put(f"{place}/feedback", json=reject)).status_code == 409
    rejected = await http.put(f"{place}/feedback", json=reject | {"force": True})
    assert rejected.json()["ground_truth"] is None


async def test_what_is_imported_is_exported_and_the_same_again_adds_nothing(
    http: httpx.AsyncClient,
) -> None:
    given = [
        question(1, task="movies", ground_truth="drama", metadata={"page": 3}),
        question(2, signal="reject"),
        question(3, query="Größe in Fuß? 🦊", signal="accept"),
    ]
    async with http.stream("POST", "/me/import", content=in_pieces(lines(*given))) as answer:
        assert json.loads(await answer.aread()) == {
            "added": 3,
            "skipped": 0,
            "forgotten": 0,
            "to_summarise": 3,
            "warnings": [],
            "left_out": 0,
            "problems": [],
            "messages_left_out": {},
            "cancelled": False,
        }

    exported = await http.get("/me/export")
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    told = [json.loads(line) for line in exported.text.splitlines()]
    assert [
        {name: one[name] for name in asked} for one, asked in zip(told, given, strict=True)
    ] == given
    again = await http.post("/me/import", content=exported.content)
    result = again.json()
    assert (result["added"], result["skipped"], result["warnings"]) == (0, 3, [])
    assert (await http.get("/me/export")).content == exported.content


async def in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 50):
        yield content[start : start + 50]


async def test_a_persona_is_aligned_on_its_users_thread(
    http: httpx.AsyncClient, sdk: LangGraphClient, user: str
) -> None:
    rule, said = next(iter(PREFERENCES.items()))
    await labelled(http, rule)
    begun = await http.post("/me/alignments", json={})
    done = await sdk.runs.join(alignment_thread(user), begun.json()["id"])
    assert (done["result"]["from_version"], done["result"]["to_version"]) == (1, 2)
    assert done["result"]["rules_after"][-1]["text"] == rule
    assert answer(await ask(sdk, "Tell me about the barn?")).endswith(said)


async def test_of_two_alignments_at_once_one_is_published(
    http: httpx.AsyncClient, sdk: LangGraphClient, user: str
) -> None:
    await labelled(http, next(iter(PREFERENCES)))
    begun = await asyncio.gather(*(http.post("/me/alignments", json={}) for _ in range(2)))
    for run in {each.json()["id"] for each in begun}:
        await sdk.runs.join(alignment_thread(user), run)
    history = (await http.get("/me/persona/versions")).json()["items"]
    assert sorted(each["version"] for each in history) == [1, 2]


async def labelled(http: httpx.AsyncClient, rule: str) -> None:
    """Import five walks whose user wanted this rule followed."""
    told = [each.model_dump_json(exclude={"user_id"}) for each in walks(5, [rule])]
    (await http.post("/me/import", content="\n".join(told))).raise_for_status()
    assert json.loads(told[0])["ground_truth"]


async def test_forget_me_leaves_nothing_of_the_user_and_all_of_others(
    http: httpx.AsyncClient, sdk: LangGraphClient, user: str, server: Server
) -> None:
    others_name = f"{user}-other"
    async with server.http(others_name) as other, server.sdk(others_name) as others_sdk:
        await import_(other, question(1))
        turn = await ask(sdk, "My dog is called Rex.")
        unfinished = await sdk.threads.create()
        later: Any = {"messages": [{"role": "user", "content": "My cat is called Tom."}]}
        await sdk.runs.create(unfinished["thread_id"], "agent", input=later, after_seconds=1)
        await http.put(f"/me/episodes/{turn['episode_id']}/feedback", json={"signal": "accept"})
        await http.post("/me/persona/edits", json={"add": ["Mention the dog."]})
        assistant = await sdk.assistants.create("agent", metadata={"dog": "Rex"})
        await sdk.crons.create("agent", schedule="0 3 * * *", input={})
        assert await sdk.crons.search()

        receipt = (await http.delete("/me")).json()

        assert turn["episode_id"] in receipt["episodes"]
        assert receipt["embeddings"] == len(receipt["episodes"])  # aegra does not let a run wait
        assert "Mention the dog." in [each["text"] for each in receipt["rules"]]
        assert {turn["thread_id"], unfinished["thread_id"]} <= {*receipt["threads"]}
        assert await sdk.threads.search() == []
        assert await sdk.crons.search() == []
        assert assistant["assistant_id"] not in [
            each["assistant_id"] for each in await sdk.assistants.search()
        ]
        assert (await sdk.store.search_items(["users", user_key(user)]))["items"] == []
        assert (await http.get("/me/export")).content == b""
        assert (await http.get("/me/persona")).json()["version"] == 1
        again = (await http.delete("/me")).json()
        assert (again["episodes"], again["threads"], again["rules"]) == ([], [], [])
        thread = (await others_sdk.threads.create())["thread_id"]
        queued_later = await others_sdk.runs.create(thread, "agent", input=later, after_seconds=1)
        await others_sdk.runs.join(thread, queued_later["run_id"])
        assert await ids(http) == [], "its turn would have been taken before"
        assert len(await ids(other)) == 2
        found = (await other.post("/me/episodes/search", json={"text": "Question 1"})).json()
        assert "e1" in [each["id"] for each in found]
