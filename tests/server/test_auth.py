"""Everything on the server is its owner's alone: every resource and verb, as everybody."""

import asyncio
import json

import httpx
import jwt
import pytest

from personaagent.core.users import user_key
from tests.support.asks import FORBIDDEN, LAST, MESSAGES, REQUESTS, Ask
from tests.support.server import Server

PATIENCE = 30
"""Seconds, so that a stream that goes on is a failure and no wait for ever."""
OWNER, STRANGER = "the owner", "a stranger"
THEIRS = ("/threads", "/runs", "/assistants", "/store")
PUBLIC = (
    *("/info", "/metrics", "/docs", "/ok", "/health", "/ready", "/sign-in"),
    "/metrics/personaagent",
)
"""What says nothing of anybody; the last has a token of its own."""
EVERYTHING = [*REQUESTS, *LAST, *FORBIDDEN]
Things = dict[str, str]


@pytest.fixture(scope="module")
def things(token_server: Server) -> Things:
    """What Ana has: a thread with a run in it, an assistant, a cron, and an episode."""
    return asyncio.run(made(token_server))


async def made(server: Server) -> Things:
    async with server.sdk(OWNER) as client:
        thread = await client.threads.create()
        told = {"messages": [{"role": "user", "content": "My dog is called Rex."}]}
        await client.runs.wait(thread["thread_id"], "agent", input=told)
        state = await client.threads.get_state(thread["thread_id"])
        [run] = await client.runs.list(thread["thread_id"])
        waiting = await client.threads.create()
        later, other = [
            await client.runs.create(waiting["thread_id"], "agent", input=told, after_seconds=3600)
            for _ in range(2)
        ]
        assistant = await client.assistants.create("agent", name="Ana's own")
        cron = await client.crons.create("agent", schedule="0 3 * * *", input=MESSAGES)
        [episode] = (await client.store.search_items(["users", user_key(OWNER), "episodes"]))[
            "items"
        ]
    return {
        "thread_id": thread["thread_id"],
        "run_id": run["run_id"],
        "checkpoint_id": state["checkpoint"]["checkpoint_id"],
        "assistant_id": assistant["assistant_id"],
        "cron_id": cron["cron_id"],
        "episode_id": episode["key"],
        "key": user_key(OWNER),
        "place": f"users.{user_key(OWNER)}.episodes",
        "waiting_thread_id": waiting["thread_id"],
        "waiting_run_id": later["run_id"],
        "other_run_id": other["run_id"],
    }


async def answer(
    client: httpx.AsyncClient, ask: Ask, things: Things, *, whole: bool = True
) -> tuple[int, str]:
    """The status, and the text if it is wanted as a whole."""

    def filled(text: str) -> str:
        for name, value in things.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    url = filled(f"{ask.path}?{ask.query}" if ask.query else ask.path)
    body = None if ask.body is None else json.loads(filled(json.dumps(ask.body)))
    async with asyncio.timeout(PATIENCE), client.stream(ask.method, url, json=body) as response:
        return response.status_code, (await response.aread()).decode() if whole else ""


def nobodies(server: Server) -> dict[str, dict[str, str]]:
    """The headers of those who are not believed."""
    said = {"sub": OWNER, "iss": "personaagent", "aud": "personaagent", "exp": 2_000_000_000}
    forged = {
        "expired": server.token(OWNER, hours=-1),
        "forged": server.token(OWNER, auth_secret="another secret, as long as the true one"),
        "alg none": jwt.encode(said, None, "none"),
        "for another service": server.token(OWNER, auth_audience="another"),
        "by another issuer": server.token(OWNER, auth_issuer="another"),
    }
    return {
        "no one": {},
        "by name": {"X-User-Id": OWNER},
        "by key": {"X-Api-Key": server.token(OWNER)},
        "Studio": {"x-auth-scheme": "langsmith", "x-api-key": "none"},
        "basic": {"Authorization": f"Basic {server.token(OWNER)}"},
    } | {name: {"Authorization": f"Bearer {token}"} for name, token in forged.items()}


async def served(client: httpx.AsyncClient) -> set[tuple[str, str]]:
    """The verb and path of every route that the server says it has."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    return {(verb.upper(), path) for path, verbs in paths.items() for verb in verbs}


async def test_every_route_is_tried(token_server: Server) -> None:
    async with token_server.http(None) as client:
        theirs = {route for route in await served(client) if route[1].startswith(THEIRS)}
    tried = {(ask.method, ask.path.replace("{waiting_", "{")) for ask in EVERYTHING}
    assert len(theirs) > 40
    assert theirs <= tried


async def test_no_route_of_our_own_answers_to_nobody(token_server: Server) -> None:
    async with token_server.http(None) as client:
        ours = [route for route in await served(client) if not route[1].startswith(THEIRS)]
        private = [(verb, path) for verb, path in ours if path not in PUBLIC]
        assert len(private) > 15
        for headers in nobodies(token_server).values():
            client.headers = httpx.Headers(headers)
            for verb, path in private:
                assert (await client.request(verb, path)).status_code == 401, path


@pytest.mark.parametrize("ask", EVERYTHING, ids=str)
async def test_nobody_is_let_in_without_a_valid_token(
    token_server: Server, things: Things, ask: Ask
) -> None:
    async with token_server.http(None) as client:
        for name, headers in nobodies(token_server).items():
            client.headers = httpx.Headers(headers)
            status, text = await answer(client, ask, things)
            assert status == 401, f"{name}: {text}"


@pytest.mark.parametrize("ask", EVERYTHING, ids=str)
async def test_to_a_stranger_there_is_no_such_thing(
    token_server: Server, things: Things, ask: Ask
) -> None:
    async with token_server.http(STRANGER) as client:
        status, text = await answer(client, ask, things)
    if ask.told is None:
        assert status < 300, text
        assert [name for name, value in things.items() if value in text] == []
    else:
        assert status == ask.told, text
        assert status != 200 or text == "" or "404: " in text
    assert "Rex" not in text


async def test_nothing_that_a_stranger_tried_has_changed_anything(
    token_server: Server, things: Things
) -> None:
    async with token_server.sdk(OWNER) as client:
        thread = await client.threads.get(things["thread_id"])
        state = await client.threads.get_state(things["thread_id"])
        assert (thread["metadata"] or {})["owner"] == OWNER
        assert state["checkpoint"]["checkpoint_id"] == things["checkpoint_id"]
        assert len(await client.runs.list(things["thread_id"])) == 1
        assert (await client.assistants.get(things["assistant_id"]))["version"] == 1
        assert await client.crons.count() == 1
        episodes = await client.store.search_items(["users", things["key"], "episodes"])
        assert [item["key"] for item in episodes["items"]] == [things["episode_id"]]


async def test_the_owner_may_do_all_of_it(token_server: Server, things: Things) -> None:
    async with token_server.http(OWNER) as client:
        for ask in REQUESTS + LAST:
            status, text = await answer(client, ask, things, whole=not ask.endless)
            done = status < 300 or "already exists" in text
            unsupported = status == ask.told == 501  # LangGraph's own checkpointer only
            assert done or unsupported, f"{ask}: {status} {text}"
        for ask in FORBIDDEN:
            assert (await answer(client, ask, things))[0] == 403
