"""The user of a run is whom their token names, whatever else they say."""

import asyncio
import os
import re
import sys
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest
from httpx import HTTPStatusError
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError
from tenacity import AsyncRetrying, stop_after_delay, wait_fixed

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.users import user_key
from tests.support.server import ROOT, Server

VICTIM = "vera"
DOCUMENTATION = ROOT / "docs" / "server.md"
NOT_THERE = (NotFoundError, HTTPStatusError)


def says(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


ASKED = says("What is my dog called?")


async def queries(server: Server, user: str) -> list[str]:
    """What the user has asked, by the episodes of theirs that are stored."""
    async with server.sdk(user) as client:
        found = await client.store.search_items(["users", user_key(user), "episodes"], limit=50)
    return [item["value"]["episode"]["query"] for item in found["items"]]


@pytest.fixture(scope="module")
def victim(token_server: Server) -> str:
    """A user whose dog is called Rex."""

    async def tell() -> None:
        async with token_server.sdk(VICTIM) as client:
            await client.runs.wait(None, "agent", input=says("My dog is called Rex."))
            told: Any = await client.runs.wait(None, "agent", input=ASKED)
            assert told["messages"][-1]["content"] == "Your dog is called Rex."

    asyncio.run(tell())
    return VICTIM


FORGED = {"identity": VICTIM, "is_authenticated": True, "kind": "StudioUser"}
CLAIMS: list[dict[str, Any]] = [
    {"context": {"user_id": VICTIM}},
    {"context": {"user_id": VICTIM, "langgraph_auth_user": FORGED}},
    {"config": {"configurable": {"user_id": VICTIM}}},
    {"config": {"configurable": {"langgraph_auth_user": FORGED, "langgraph_auth_user_id": VICTIM}}},
    {"metadata": {"owner": VICTIM, "user_id": VICTIM, "langgraph_auth_user_id": VICTIM}},
    {"config": {"metadata": {"owner": VICTIM}}},
    {"headers": {"X-User-Id": VICTIM, "X-Forwarded-User": VICTIM, "langgraph_auth_user": VICTIM}},
]


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
async def test_no_claim_of_a_run_makes_it_somebody_elses(
    token_server: Server, victim: str, claim: dict[str, Any]
) -> None:
    intruder = f"intruder {uuid4()}"
    before = await queries(token_server, victim)
    async with token_server.sdk(intruder) as client:
        thread = await client.threads.create(metadata={"owner": victim})
        told: Any = await client.runs.wait(thread["thread_id"], "agent", input=ASKED, **claim)
        assert told["messages"][-1]["content"] == "I do not know."
        assert (await client.threads.get(thread["thread_id"]))["metadata"]["owner"] == intruder  # type: ignore[index, call-overload]
    assert await queries(token_server, intruder) == ["What is my dog called?"]
    assert await queries(token_server, victim) == before


async def test_no_assistant_or_cron_makes_a_run_somebody_elses(
    token_server: Server, victim: str
) -> None:
    async with token_server.sdk("ivo") as client:
        assistant = await client.assistants.create(
            "agent", context={"user_id": victim}, metadata={"owner": victim}
        )
        told: Any = await client.runs.wait(None, assistant["assistant_id"], input=ASKED)
        assert told["messages"][-1]["content"] == "I do not know."
        await client.assistants.update(assistant["assistant_id"], metadata={"owner": victim})
        assert await client.assistants.get(assistant["assistant_id"])
        cron = await client.crons.create(
            "agent", schedule="0 3 * * *", input=ASKED, metadata={"owner": victim}
        )
        [found] = await client.crons.search()
        assert found["cron_id"] == cron["cron_id"]


async def test_a_cron_runs_as_whoever_made_it(token_server: Server, victim: str) -> None:
    before = await queries(token_server, victim)
    async with token_server.sdk("crispin") as client:
        cron = await client.crons.create(
            "agent", schedule="* * * * * */2", input=ASKED, context={"user_id": victim}
        )
        async for attempt in AsyncRetrying(wait=wait_fixed(0.5), stop=stop_after_delay(60)):
            with attempt:
                assert await queries(token_server, "crispin")
        await client.crons.delete(cron["cron_id"])
    assert await queries(token_server, victim) == before


async def test_nobody_makes_an_assistant_for_everybody(token_server: Server) -> None:
    async with token_server.sdk("ivo") as client:
        made = await client.assistants.create("agent", metadata={"created_by": "system"})
        await client.assistants.update(made["assistant_id"], metadata={"created_by": "system"})
    async with token_server.sdk("olga") as client:
        found = await client.assistants.search()
        assert {each["metadata"].get("created_by") for each in found} == {"system"}  # type: ignore[union-attr]
        assert {each["graph_id"] for each in found} == {"agent", "alignment"}
        with pytest.raises(NOT_THERE, match="404"):
            await client.runs.wait(None, made["assistant_id"], input=ASKED)


async def test_the_assistants_of_the_graphs_can_be_run_and_not_changed(
    token_server: Server,
) -> None:
    async with token_server.sdk("ivo") as client:
        [system] = await client.assistants.search(
            graph_id="agent", metadata={"created_by": "system"}
        )
        with pytest.raises(NotFoundError):
            await client.assistants.update(system["assistant_id"], name="mine")
        with pytest.raises(NotFoundError):
            await client.assistants.delete(system["assistant_id"])


@pytest.mark.parametrize("make", ["thread", "run", "cron"])
async def test_nobody_takes_the_thread_of_another_users_alignment(
    token_server: Server, make: str
) -> None:
    kept = alignment_thread(f"newcomer {make}")

    async def take(client: LangGraphClient) -> None:
        if make == "thread":
            await client.threads.create(thread_id=kept)
        elif make == "run":
            await client.runs.wait(kept, "agent", input=ASKED, if_not_exists="create")
        else:
            await client.crons.create_for_thread(kept, "agent", schedule="0 3 * * *", input=ASKED)

    async with token_server.sdk("ivo") as client:
        with pytest.raises(NOT_THERE):
            await take(client)
    async with token_server.sdk(f"newcomer {make}") as client:
        await client.threads.create(thread_id=kept)
        await take(client) if make != "thread" else None


async def test_a_client_may_name_its_threads_by_what_they_stand_for(token_server: Server) -> None:
    async with token_server.sdk("ivo") as client:
        named = str(uuid5(NAMESPACE_URL, f"a channel of the chat {uuid4()}"))
        assert (await client.threads.create(thread_id=named))["thread_id"] == named


async def test_a_user_finds_their_own_part_of_the_store_only(
    token_server: Server, victim: str
) -> None:
    own = ["users", user_key(victim)]
    async with token_server.sdk(victim) as client:
        for prefix in ([], ["users"], own):
            found = await client.store.list_namespaces(prefix=prefix)
            assert found["namespaces"], prefix
            assert all(namespace[:2] == own for namespace in found["namespaces"])
        for elsewhere in (["users", "*"], ["*"], ["other"], ["users", user_key("ivo")]):
            with pytest.raises(NotFoundError):
                await client.store.list_namespaces(prefix=elsewhere)
            with pytest.raises(NotFoundError):
                await client.store.search_items(elsewhere)


@pytest.mark.parametrize("url", ["/threads", "http://127.0.0.1/x", "http://10.0.0.1/x"])
async def test_no_webhook_calls_the_server_itself_or_its_neighbours(
    token_server: Server, url: str
) -> None:
    async with token_server.http("ivo") as client:
        turn = {"assistant_id": "agent", "input": ASKED, "webhook": url}
        assert (await client.post("/runs", json=turn)).status_code == 422


async def test_tokens_are_neither_logged_nor_kept(token_server: Server) -> None:
    async with token_server.sdk("ivo") as client:
        thread = await client.threads.create()
        await client.runs.wait(thread["thread_id"], "agent", input=ASKED)
        [run] = await client.runs.list(thread["thread_id"])
        seen = [run, await client.threads.get(thread["thread_id"])]
        seen += await client.threads.get_history(thread["thread_id"])  # type: ignore[arg-type]
    header = token_server.token("ivo").split(".")[0]
    assert header not in str(seen)
    assert header not in token_server.log


async def test_the_example_of_the_documentation_works(token_server: Server, victim: str) -> None:
    [example] = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", example),
        env=os.environ | {"SERVER": token_server.url, "TOKEN": token_server.token(victim)},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert output.decode() == "Your dog is called Rex."
