"""The public interface: what README and the examples use."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import personaagent
from personaagent import (
    Answer,
    NodeFinished,
    PersonaAgent,
    PersonaAgentError,
    Settings,
    UsageError,
)
from personaagent.core.settings import load_settings
from tests.support.endpoint import scripted_endpoint


def answers_from_memory(body: dict[str, Any]) -> str:
    """A model that knows only what its prompt says."""
    prompt = str(body["messages"][0]["content"])
    return "Your dog is called Rex." if "dog is called Rex" in prompt else "I do not know."


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[PersonaAgent]:
    with scripted_endpoint(answers_from_memory) as endpoint:
        settings = load_settings(
            home=tmp_path / "home",
            openai_base_url=endpoint.base_url,
            openai_api_key="k",
            model="scripted",
            embeddings="openai:words",
            model_retries=0,
        )
        async with PersonaAgent(settings) as agent:
            yield agent


async def test_the_second_answer_knows_what_the_first_turn_said(agent: PersonaAgent) -> None:
    await agent.ask("My dog is called Rex.", user="ana")
    answer = await agent.ask("What is my dog called?", user="ana")
    assert answer.reply == "Your dog is called Rex."
    assert len(answer.recalled) == 1
    stranger = await agent.ask("What is my dog called?", user="ben")
    assert stranger.reply == "I do not know."


async def test_a_stream_yields_pieces_nodes_and_last_the_answer(agent: PersonaAgent) -> None:
    events = [event async for event in agent.stream("Hello?", user="ana", thread="greetings")]
    assert isinstance(events[-1], Answer)
    assert events[-1].thread_id == "greetings"
    nodes = [event.node for event in events if isinstance(event, NodeFinished)]
    assert nodes == [*("recall", "question", "inject_persona", "react", "decide", "remember")]
    assert "".join(event for event in events if isinstance(event, str)) == events[-1].reply


async def test_feedback_becomes_ground_truth_and_takes_exactly_one_word(
    agent: PersonaAgent,
) -> None:
    answer = await agent.ask("What is my dog called?", user="ana")
    assert answer.episode_id is not None
    corrected = await agent.feedback(answer.episode_id, user="ana", edit="Rex")
    assert corrected.ground_truth == "Rex"
    for signals in ({}, {"accept": True, "reject": True}):
        with pytest.raises(UsageError, match="exactly one"):
            await agent.feedback(answer.episode_id, user="ana", **signals)


async def test_memory_is_imported_searched_exported_and_forgotten(
    agent: PersonaAgent, tmp_path: Path
) -> None:
    history = tmp_path / "history.jsonl"
    lines = [{"query": f"Question {n}?", "response": f"Answer {n}."} for n in range(3)]
    history.write_text("\n".join(map(json.dumps, lines)))
    memory = agent.memory("ana")
    assert (await memory.import_file(history)).added == 3
    assert (await memory.search("Question 2?", k=1))[0].response == "Answer 2."
    newest = await memory.list(2)
    assert len(newest) == 2
    receipt = await memory.forget(newest[0].id)
    assert receipt.episodes == [newest[0].id]
    assert await memory.export(tmp_path / "out.jsonl") == 2
    await memory.forget_all()
    assert await memory.list() == []


async def test_every_change_of_the_persona_is_a_new_version(agent: PersonaAgent) -> None:
    persona = agent.persona("ana")
    await agent.ask("Hello?", user="ana")
    first = await persona.current()
    edited = await persona.edit(add=["Answer in German."])
    rule = edited.rules[-1]
    locked = await persona.lock(rule.id)
    assert locked.rules[-1].locked
    assert not (await persona.unlock(rule.id)).rules[-1].locked
    replaced = await persona.edit(replace={rule.id: "Answer in French."})
    assert replaced.rules[-1].text == "Answer in French."
    back = await persona.roll_back(first.version)
    assert [rule.text for rule in back.rules] == [rule.text for rule in first.rules]
    assert [version.version for version in await persona.history()] == [1, 2, 3, 4, 5, 6]


async def test_an_agent_that_is_not_open_says_how_to_open_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="async with PersonaAgent"):
        await PersonaAgent(Settings(home=tmp_path)).ask("Hello?", user="ana")


def test_importing_the_public_interface_loads_no_other_module() -> None:
    program = "import sys, personaagent; print([m for m in sys.modules if 'personaagent.' in m])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(personaagent, name).__doc__ for name in personaagent.__all__)
    assert issubclass(UsageError, PersonaAgentError)
    assert set(personaagent.__all__) <= set(dir(personaagent))
    with pytest.raises(AttributeError):
        personaagent.nothing  # noqa: B018


async def test_a_user_mends_what_is_known_about_them(agent: PersonaAgent, tmp_path: Path) -> None:
    profile = agent.profile("ana")
    file = tmp_path / "notes.txt"
    file.write_text("- My dog is called Rex\n")
    [imported] = await profile.import_file(file, "claude")
    [added] = await profile.add("Has a boat", "Has a boat.")
    assert (imported.source, added.source) == ("claude", "user")
    assert (await agent.ask("What is my dog called?", user="ana")).reply == (
        "Your dog is called Rex."
    )
    await profile.lock(added.id)
    assert (await profile.unlock(added.id)).locked is False
    await profile.edit(added.id, "Has two boats")
    await profile.undo()
    assert (await profile.forget(imported.id)).statements == [imported]
    assert [each.text for each in (await profile.read()).summary] == ["Has a boat"]
    assert "Rex" not in "".join(change.model_dump_json() for change in await profile.history())
    assert await profile.import_file(file, "claude") == [], "what is forgotten stays forgotten"
    assert (await agent.ask("What is my dog called?", user="ben")).reply == "I do not know."
