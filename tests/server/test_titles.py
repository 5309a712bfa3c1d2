"""Titles of threads, as clients see them in the threads' metadata."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

from tests.support.server import Server

USERS = count()
QUESTION = "What is\n  my dog called, please?"
TITLE = "What is my dog called, please?"


@pytest.fixture(scope="module", params=["token_server", "open_server", "postgres_server"])
def server(request: pytest.FixtureRequest) -> Server:
    """The development server with and without tokens, then the one on Postgres."""
    shared: Server = request.getfixturevalue(request.param)
    return shared


@pytest.fixture
async def sdk(server: Server) -> AsyncIterator[LangGraphClient]:
    async with server.sdk(f"titles-{next(USERS)}") as sdk:
        yield sdk


@pytest.fixture
async def thread(sdk: LangGraphClient) -> str:
    return str((await sdk.threads.create())["thread_id"])


def asked(*texts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text} for text in texts]}


async def say(sdk: LangGraphClient, thread: str, *texts: Any, **options: Any) -> None:
    await sdk.runs.wait(thread, "agent", input=asked(*texts), raise_error=True, **options)


async def title(sdk: LangGraphClient, thread: str) -> Any:
    return ((await sdk.threads.get(thread))["metadata"] or {}).get("title")


async def test_the_first_question_is_the_title_and_stays_it(
    sdk: LangGraphClient, thread: str
) -> None:
    await say(sdk, thread, QUESTION)
    assert await title(sdk, thread) == TITLE
    await say(sdk, thread, "And my cat?")
    assert await title(sdk, thread) == TITLE
    assert (await sdk.threads.get(thread))["status"] == "idle"


async def test_it_is_there_when_the_answer_begins(sdk: LangGraphClient, thread: str) -> None:
    stream = sdk.runs.stream(thread, "agent", input=asked(QUESTION), stream_mode="values")
    titles = [await title(sdk, thread) async for _ in stream]
    assert set(titles) == {TITLE}


async def test_a_run_in_the_background_gives_one(sdk: LangGraphClient, thread: str) -> None:
    run = await sdk.runs.create(thread, "agent", input=asked([{"type": "text", "text": QUESTION}]))
    assert await title(sdk, thread) == TITLE
    await sdk.runs.join(thread, run["run_id"])


async def test_a_run_that_makes_its_thread_gives_one(sdk: LangGraphClient) -> None:
    thread = "5f0ec8a1-26d4-4a42-9c2a-2f4fd39df2f3"
    await say(sdk, thread, QUESTION, if_not_exists="create")
    assert await title(sdk, thread) == TITLE
    await sdk.threads.delete(thread)


async def test_the_owner_renames_a_thread(sdk: LangGraphClient, thread: str) -> None:
    await say(sdk, thread, QUESTION)
    await sdk.threads.update(thread, metadata={"title": "Rex"})
    await say(sdk, thread, "And my cat?")
    assert await title(sdk, thread) == "Rex"


@pytest.mark.parametrize("own", ["My dogs", ""], ids=["named", "without-name"])
async def test_what_the_owner_named_before_its_first_question_keeps_the_name(
    sdk: LangGraphClient, own: str
) -> None:
    thread = (await sdk.threads.create(metadata={"title": own}))["thread_id"]
    await say(sdk, thread, QUESTION)
    assert await title(sdk, thread) == own


async def test_a_command_of_the_newer_protocol_gives_one(
    sdk: LangGraphClient, thread: str, server: Server
) -> None:
    params = {"assistant_id": "agent", "input": asked(QUESTION)}
    command = {"id": 1, "method": "run.start", "params": params}
    started = await sdk.http.post(f"/threads/{thread}/commands", json=command)
    assert await title(sdk, thread) == TITLE, started
    for run in await sdk.runs.list(thread):
        await sdk.runs.join(thread, run["run_id"])


async def test_an_incognito_question_gives_none(sdk: LangGraphClient, thread: str) -> None:
    await say(sdk, thread, QUESTION, context={"incognito": True})
    await say(sdk, thread, QUESTION, config={"configurable": {"incognito": True}})
    assert await title(sdk, thread) is None
    assert not (await sdk.threads.get_state(thread))["values"]["episode_id"]
    await say(sdk, thread, "And my cat?")
    assert await title(sdk, thread) == "And my cat?"
