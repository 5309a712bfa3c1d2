"""A turn on this machine that fails, or is stopped, leaves its conversation as it was."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import PersonaAgentError
from personaagent.core.settings import load_settings
from personaagent.local.agent import LocalAgent, open_local
from tests.support.endpoint import Cut, Endpoint, Reply, Stall, Status, ToolCall, scripted_endpoint
from tests.support.strict_roles import shape_problem

FAILS: dict[str, list[Reply]] = {
    "a server error": [Status(500)],
    "a refusal": [Status(400, "The response was filtered: content management policy.")],
    "a broken stream": [Cut("Half an"), Cut("Half an")],
    "an error after a tool": [[ToolCall("recall_episodes", {"query": "x"})], Status(500)],
}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Demands the usual order of roles; fails as the question says."""

    def answer(body: dict[str, Any]) -> Reply:
        if problem := shape_problem(body["messages"]):
            return Status(400, problem)
        asked = [each["content"] for each in body["messages"] if each["role"] == "user"]
        if asked[-1] == "wait":
            return Stall("Well")
        if replies := FAILS.get(asked[-1]):
            step = sum(each["role"] == "tool" for each in body["messages"])
            return replies[min(step, len(replies) - 1)]
        return f"You asked: {asked}"

    with scripted_endpoint(answer) as endpoint:
        yield endpoint


@pytest.fixture
async def agent(endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[LocalAgent]:
    settings = load_settings(
        home=tmp_path,
        openai_base_url=endpoint.base_url,
        openai_api_key="k",
        model="m",
        model_retries=0,
        embeddings="openai:words",
    )
    async with open_local(settings) as agent:
        yield agent


def checkpoints(home: Path) -> list[Any]:
    """The ids of all that the conversations hold."""
    with sqlite3.connect(home / "checkpoints.sqlite") as database:
        rows = [
            database.execute(f"SELECT thread_id, checkpoint_id FROM {table}").fetchall()
            for table in ("checkpoints", "writes")
        ]
    database.close()
    return sorted({row for each in rows for row in each})


@pytest.mark.parametrize("question", FAILS)
async def test_a_failed_turn_leaves_its_conversation_as_it_was(
    question: str, agent: LocalAgent, tmp_path: Path
) -> None:
    for before in (False, True):
        stored = checkpoints(tmp_path)
        with pytest.raises(PersonaAgentError):
            await agent.ask(question, "anna", thread_id="t")
        assert checkpoints(tmp_path) == stored
        answer = await agent.ask(f"hello {before}", "anna", thread_id="t")
    assert answer.reply == "You asked: ['hello False', 'hello True']"


async def test_a_stopped_turn_leaves_its_conversation_as_it_was(
    agent: LocalAgent, tmp_path: Path
) -> None:
    await agent.ask("hello", "anna", thread_id="t")
    stored = checkpoints(tmp_path)
    async with aclosing(agent.stream("wait", "anna", thread_id="t")) as events:
        async for event in events:
            if event == "Well":
                break
    assert checkpoints(tmp_path) == stored

    begun = asyncio.Event()

    async def turn() -> None:
        async for event in agent.stream("wait", "anna", thread_id="t"):
            if event == "Well":
                begun.set()

    task = asyncio.create_task(turn())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert checkpoints(tmp_path) == stored
    answer = await agent.ask("and now?", "anna", thread_id="t")
    assert answer.reply == "You asked: ['hello', 'and now?']"


async def test_who_stops_reading_at_the_answer_has_it_in_the_conversation(
    agent: LocalAgent,
) -> None:
    async with aclosing(agent.stream("hello", "anna", thread_id="t")) as events:
        async for event in events:
            if getattr(event, "node", "") == "remember":
                break
    answer = await agent.ask("and now?", "anna", thread_id="t")
    assert answer.reply == "You asked: ['hello', 'and now?']"
