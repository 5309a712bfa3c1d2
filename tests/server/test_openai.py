"""The agent as a model of OpenAI's API, asked by OpenAI's own client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest
from openai import AsyncOpenAI
from tenacity import AsyncRetrying, stop_after_delay, wait_fixed

from personaagent.core.alignment_state import alignment_thread
from tests.support.our_routes import ids
from tests.support.server import BEGUN, BREAKS, FAILS, STALLS, WAITS, Server

AGENT, INCOGNITO = "personaagent", "personaagent-incognito"


@pytest.fixture
async def client(server: Server, user: str) -> AsyncIterator[AsyncOpenAI]:
    async with client_of(server, server.token(user)) as client:
        yield client


@pytest.fixture
async def http(server: Server, user: str) -> AsyncIterator[httpx.AsyncClient]:
    async with server.http(user) as http:
        yield http


def client_of(server: Server, key: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=key, base_url=f"{server.url}/v1", max_retries=0, timeout=60)


def asked(*texts: str) -> list[Any]:
    """A conversation whose texts are the user's and the assistant's in turn."""
    return [
        {"role": role, "content": text}
        for role, text in zip(("user", "assistant") * len(texts), texts, strict=False)
    ]


async def answer(client: AsyncOpenAI, *texts: str, model: str = AGENT, **more: Any) -> Any:
    return await client.chat.completions.create(model=model, messages=asked(*texts), **more)


async def test_its_models_are_listed(client: AsyncOpenAI) -> None:
    assert [each.id async for each in client.models.list()] == [AGENT, INCOGNITO]
    assert (await client.models.retrieve(AGENT)).owned_by == "personaagent"


async def test_a_turn_is_answered_counted_and_remembered(
    client: AsyncOpenAI, http: httpx.AsyncClient
) -> None:
    told = await answer(client, "My dog is called Rex.")
    assert told.choices[0].finish_reason == "stop"
    assert told.usage.total_tokens == told.usage.prompt_tokens + told.usage.completion_tokens > 0
    assert [told.personaagent["episode_id"]] == await ids(http)
    known = await answer(client, "What is my dog called?")
    assert known.choices[0].message.content == "Your dog is called Rex."


async def test_nobody_is_answered_from_somebody_elses_memory(
    client: AsyncOpenAI, server: Server, user: str
) -> None:
    await answer(client, "My dog is called Rex.")
    async with client_of(server, server.token(f"{user}-stranger")) as stranger:
        claims: Any = {"user": user, "extra_headers": {"X-User-Id": user}}
        told = await answer(stranger, "What is my dog called?", **claims)
    assert told.choices[0].message.content == "I do not know."


async def test_an_answer_is_streamed_in_chunks(
    client: AsyncOpenAI, http: httpx.AsyncClient
) -> None:
    await answer(client, "My dog is called Rex.")
    usage = {"include_usage": True}
    stream = await answer(client, "My dog's name?", stream=True, stream_options=usage)
    chunks = [chunk async for chunk in stream]
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == "Your dog is called Rex."
    assert len([*filter(None, pieces)]) > 1
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-2].personaagent["episode_id"] in await ids(http)
    assert chunks[-1].usage.total_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_thread_goes_on_with_what_is_new(
    client: AsyncOpenAI, server: Server, user: str
) -> None:
    thread = str(uuid4())
    first = {"extra_headers": {"X-Thread-Id": thread}}
    system = {"role": "system", "content": "Be brief."}
    for texts, where in (
        (["Hello."], first),
        (["Hello.", "I do not know.", "And now?"], {"metadata": {"thread_id": thread}}),
    ):
        messages = [system, *asked(*texts)]
        await client.chat.completions.create(model=AGENT, messages=messages, **where)
    async with server.sdk(user) as sdk:
        state: Any = await sdk.threads.get_state(thread)
        kinds = [each["type"] for each in state["values"]["messages"]]
        assert kinds == ["system", "human", "ai", "human", "ai"]
    async with client_of(server, server.token(f"{user}-stranger")) as stranger:
        with pytest.raises(openai.APIStatusError) as refused:
            await answer(stranger, "Hello.", **first)
    assert refused.value.status_code in (403, 404, 409)


async def test_the_threads_of_alignment_are_nobodys_conversation(
    client: AsyncOpenAI, user: str
) -> None:
    for kept in (alignment_thread(user), alignment_thread(f"{user}-stranger")):
        with pytest.raises(openai.NotFoundError, match="no such thread of yours"):
            await answer(client, "Hello.", metadata={"thread_id": kept})


async def test_a_message_that_is_edited_on_a_thread_is_discarded(
    client: AsyncOpenAI, http: httpx.AsyncClient
) -> None:
    where = {"extra_headers": {"X-Thread-Id": str(uuid4())}}
    hello, known = ["Hello.", "I do not know."], "Your dog is called Rex."
    await answer(client, hello[0], **where)
    await answer(client, *hello, "My dog is called Rex.", **where)
    await answer(client, *hello, "My dog is called Bello.", **where)
    episodes = (await http.get("/me/episodes")).json()["items"]
    assert {each["query"]: each["discarded"] for each in episodes} == {
        "Hello.": False,
        "My dog is called Rex.": True,
        "My dog is called Bello.": False,
    }
    told = await answer(client, "What is my dog called?")
    assert told.choices[0].message.content != known


async def test_incognito_remembers_nothing(client: AsyncOpenAI, http: httpx.AsyncClient) -> None:
    told = await answer(client, "My cat is called Tom.", model=INCOGNITO)
    assert told.personaagent["episode_id"] == ""
    assert await ids(http) == []


async def test_without_a_thread_none_is_left(
    client: AsyncOpenAI, server: Server, user: str
) -> None:
    await answer(client, "Hello.")
    async with server.sdk(user) as sdk:
        assert await sdk.threads.search() == []


async def test_the_clients_system_messages_reach_the_model(
    client: AsyncOpenAI, server: Server
) -> None:
    marked = uuid4().hex
    developer: Any = {"role": "developer", "content": f"Say {marked}."}
    await client.chat.completions.create(model=AGENT, messages=[developer, *asked("Hello.")])
    assert [each for each in server.endpoint.requests if marked in str(each.body.get("messages"))]


async def test_what_cannot_be_done_is_an_error_of_the_clients_own_kind(
    client: AsyncOpenAI, server: Server
) -> None:
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4'"):
        await answer(client, "Hello.", model="gpt-4")
    with pytest.raises(openai.UnprocessableEntityError, match="empty"):
        await answer(client, " ")
    with pytest.raises(openai.UnprocessableEntityError, match=r"body\.n"):
        await answer(client, "Hello.", n=2)
    with pytest.raises(openai.APIStatusError) as failed:
        await answer(client, FAILS, stream=True)
    assert failed.value.status_code == 503
    async with client_of(server, "sk-nobody") as nobody:
        with pytest.raises(openai.AuthenticationError, match="The token is refused"):
            await nobody.models.list()


async def test_who_hangs_up_stops_the_turn(
    client: AsyncOpenAI, http: httpx.AsyncClient, server: Server, user: str
) -> None:
    thread = str(uuid4())
    stream = await answer(client, STALLS, stream=True, extra_headers={"X-Thread-Id": thread})
    await stream.close()
    async with server.sdk(user) as sdk:
        [run] = await sdk.runs.list(thread)
        await sdk.runs.join(thread, run["run_id"])
        assert (await sdk.runs.get(thread, run["run_id"]))["status"] == "interrupted"
    assert await ids(http) == []


@pytest.mark.parametrize("stream", [False, True])
async def test_so_does_who_hangs_up_before_it_begins(
    client: AsyncOpenAI, server: Server, user: str, stream: bool
) -> None:
    thread, text = str(uuid4()), f"{WAITS} {uuid4()}"
    where = {"X-Thread-Id": thread}
    waiting = asyncio.create_task(answer(client, text, stream=stream, extra_headers=where))
    async for attempt in AsyncRetrying(stop=stop_after_delay(60), wait=wait_fixed(0.1)):
        with attempt:
            assert any(text in str(each.body.get("messages")) for each in server.endpoint.requests)
    waiting.cancel()
    async with server.sdk(user) as sdk:
        [run] = await sdk.runs.list(thread)
        await sdk.runs.join(thread, run["run_id"])
        assert (await sdk.runs.get(thread, run["run_id"]))["status"] == "interrupted"


async def test_what_fails_midway_is_told_in_the_stream(client: AsyncOpenAI, server: Server) -> None:
    stream = await answer(client, BREAKS, stream=True)
    assert BEGUN.startswith((await anext(stream)).choices[0].delta.content)
    with pytest.raises(openai.APIError, match="cannot do that now"):
        [chunk async for chunk in stream]
