"""A turn reads at its beginning, notes what it recalled, and remembers: three trips to the store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from personaagent.core.records import Rule
from personaagent.core.settings import load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.instructions import read_instructions
from personaagent.memory.sqlite_store import SqliteStore
from tests.support.endpoint import Endpoint

USER = "anna"
QUESTION = "What is my dog called, and where does he sleep?"


@asynccontextmanager
async def opened(dog_endpoint: Endpoint, home: Path) -> AsyncIterator[LocalAgent]:
    settings = load_settings(
        home=home,
        openai_base_url=dog_endpoint.base_url,
        openai_api_key="k",
        model="m",
        embeddings="openai:words",
    )
    async with open_local(settings) as agent:
        yield agent


async def trips_of(agent: LocalAgent, text: str, thread: str) -> tuple[int, str]:
    """How many transactions a turn takes, and its answer; what calls cost is written beside turns."""
    store, statements = agent.store, list[str]()
    assert isinstance(store, SqliteStore)
    await store.conn.set_trace_callback(statements.append)
    answer = await agent.ask(text, USER, thread_id=thread)
    await store.conn.set_trace_callback(None)
    transactions = "\n".join(statements).split("BEGIN")[1:]
    return len([each for each in transactions if ".costs'" not in each]), answer.reply


async def test_a_turn_takes_three_trips_in_a_new_conversation_and_in_one_that_goes_on(
    dog_endpoint: Endpoint, tmp_path: Path
) -> None:
    async with opened(dog_endpoint, tmp_path) as agent:
        await agent.ask("My dog is called Rex.", USER)
        assert await trips_of(agent, QUESTION, "dogs") == (3, "He is called Rex.")
        assert await trips_of(agent, f"Once more: {QUESTION}", "dogs") == (3, "He is called Rex.")
        assert len(await agent.memory(USER).episodes.ids()) == 3
        assert not await agent.memory(USER).store.keys("unindexed", 1)


async def test_rules_and_statements_cost_no_trip_and_are_noted_with_the_conversation(
    dog_endpoint: Endpoint, tmp_path: Path
) -> None:
    async with opened(dog_endpoint, tmp_path) as agent:
        told = await agent.ask("My dog is called Rex.", USER)
        memory = agent.memory(USER)
        rule = Rule(id="r9", text="Speak of dogs.", evidence=[told.episode_id or ""])
        await memory.personas.publish([rule], author="user", note="", parent=1)
        [statement] = await memory.profile.statements.add(["My name is Anna."])
        trips, _ = await trips_of(agent, QUESTION, "dogs")
        assert trips == 3
        noted = [note async for _, note in agent.memory(USER).store.scan("conversations")]
        held = {id for note in noted if note["thread"].endswith(":dogs") for id in note["episodes"]}
        assert {told.episode_id, f"statement:{statement.id}"} <= held


async def test_a_turn_beside_others_is_remembered_with_what_they_have_written(
    dog_endpoint: Endpoint, tmp_path: Path
) -> None:
    async with opened(dog_endpoint, tmp_path) as agent, opened(dog_endpoint, tmp_path) as other:
        first = await agent.ask("My dog is called Rex.", USER)
        asked = False
        async for _ in agent.stream(QUESTION, USER, thread_id="dogs"):
            if not asked:  # while the model answers, what the turn was decided from changes
                asked = True
                await other.ask("My cat is called Tom, and she sleeps all day.", USER)
                await other.memory(USER).episodes.give_feedback(first.episode_id or "", "accept")
        memory = agent.memory(USER)
        ids = set(await memory.episodes.ids())
        assert len(ids) == 3
        assert {seen.id for seen in (await read_instructions(memory.store)).seen} == ids
        [found] = await memory.search("cat Tom", 1)
        assert found.id in ids
