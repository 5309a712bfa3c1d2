"""What another process forgets while a turn is under way does not come back with its end."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import Forgotten
from personaagent.core.settings import load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.remembering import Remembering
from tests.support.endpoint import Endpoint

DOG = "My dog is called Rex."
QUESTION = "What is my dog called?"


@pytest.fixture
async def agents(dog_endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[list[LocalAgent]]:
    """Two agents on one data folder, as two processes have it open."""
    settings = load_settings(
        home=tmp_path,
        openai_base_url=dog_endpoint.base_url,
        openai_api_key="k",
        model="m",
        embeddings="openai:words",
    )
    async with open_local(settings) as one, open_local(settings) as other:
        yield [one, other]


def holding(home: Path, mark: bytes) -> list[Path]:
    """The databases that hold it."""
    return [path for path in home.glob("*.sqlite*") if mark in path.read_bytes()]


async def ask_while(agent: LocalAgent, forget: Any) -> None:
    """Ask about the dog, and forget when the first words of the answer are there."""
    forgotten = False
    async for _ in agent.stream(QUESTION, "anna", thread_id="dogs"):
        if not forgotten:
            await forget()
            forgotten = True


async def test_a_turn_ends_with_its_user_who_is_forgotten(
    agents: list[LocalAgent], tmp_path: Path
) -> None:
    one, other = agents
    await one.ask(DOG, "anna")
    with pytest.raises(Forgotten):
        await ask_while(one, lambda: other.forget_all("anna"))
    assert not await one.memory("anna").exists()
    await other.pack()
    assert not holding(tmp_path, b"Rex")
    assert (await one.ask(QUESTION, "anna")).reply == "I do not know."


async def test_a_turn_ends_with_a_statement_that_it_was_told(
    agents: list[LocalAgent], tmp_path: Path
) -> None:
    one, other = agents
    [statement] = await one.memory("anna").profile.statements.add([DOG])
    with pytest.raises(Forgotten):
        await ask_while(one, lambda: other.forget_statement("anna", statement.id))
    assert [each.id async for each in one.memory("anna").episodes.scan()] == []
    await other.pack()
    assert not holding(tmp_path, b"Rex")


@pytest.mark.parametrize("paused", [False, True])
async def test_a_turn_ends_with_an_episode_that_it_recalled(
    paused: bool, agents: list[LocalAgent], tmp_path: Path
) -> None:
    one, other = agents
    told = await one.ask(DOG, "anna")
    await Remembering(one.memory("anna").store).pause(paused=paused)
    with pytest.raises(Forgotten):
        await ask_while(one, lambda: other.forget("anna", [str(told.episode_id)]))
    assert [each.id async for each in one.memory("anna").episodes.scan()] == []
    await other.pack()
    assert not holding(tmp_path, b"Rex")
