"""What is forgotten after an alignment is nowhere in the data folder, though every model repeats it."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.local.agent import LocalAgent, open_local
from tests.support.alignment import PREFERENCES, Scripted, act, answer_to, criticise, walks
from tests.support.alignment_endpoint import over_http
from tests.support.endpoint import scripted_endpoint
from tests.support.folders import contents
from tests.support.memories import START
from tests.support.scripted_model import Prompt, Reply

CANARY = "quokka"
RULE = next(iter(PREFERENCES))


def repeated(prompt: Prompt) -> str:
    return f" {CANARY}" if any(CANARY in message.text for message in prompt.messages) else ""


def actor(prompt: Prompt) -> Reply:
    return f"{act(prompt)}{repeated(prompt)}"


def naming(prompt: Prompt) -> list[str]:
    """The failing episodes in which the word is wanted."""
    blocks = re.split(r"^(?=E\d+)", prompt.system, flags=re.MULTILINE)[1:]
    return [each.split()[0] for each in blocks if CANARY in each.split("wanted answer:")[-1]]


def critic(prompt: Prompt) -> Reply:
    """What is lacking, repeating the word; and the word alone, of the episodes where it stands."""
    points = json.loads(str(criticise(prompt)))["points"]
    points = [point | {"given": repeated(prompt)} for point in points]
    if named := naming(prompt):
        points.append(points[0] | {"point": f"Mind the {CANARY}.", "episodes": named})
    return json.dumps({"points": points})


def propose(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
    """A rule that repeats the word, and rests on the episodes alone in which it stands."""
    named = naming(prompt)
    text = f"{RULE} Name the {CANARY}." if named else RULE
    shown = named or re.findall(r"^E\d+", prompt.system, flags=re.MULTILINE)
    return [{"action": "add", "rule": "", "text": text, "evidence": shown}]


def secret(**fields: Any) -> Episode:
    """An episode of Anna's with the word in all that she says."""
    query = f"Tell me about the {CANARY}?"
    wanted = {"ground_truth": f"{answer_to(query, [RULE])} {CANARY}"} | fields
    return Episode(id="secret", user_id="anna", query=query, response=CANARY, **wanted)


@pytest.mark.parametrize(
    ("part", "episode"),
    [
        ("batch", secret()),
        ("holdout", secret(created_at=START)),
        ("recalled", secret(ground_truth=None)),
    ],
)
async def test_a_word_is_gone(part: str, episode: Episode, tmp_path: Path) -> None:
    async with aligning(tmp_path) as agent:
        memory = agent.memory("anna")
        await memory.episodes.add([*walks(5, [RULE]), episode])
        result = await agent.align("anna")
        took_part = {pair.episode for pair in result.pairs if pair.part == part}
        assert (episode.id in took_part) == episode.labelled
        assert result.to_version == 2
        assert CANARY in str(await memory.personas.current())
        assert {"memory.sqlite-wal", "checkpoints.sqlite-wal"} <= holding(tmp_path)
        receipt = await agent.forget("anna", [episode.id])
        assert receipt.simulations > 0
        assert len(receipt.rules) == (part == "batch")
        assert holding(tmp_path) == set()
        await agent.align("anna")
    assert holding(tmp_path) == set()


@pytest.mark.parametrize("episode", [secret(), secret(created_at=START)])
async def test_a_conversation_does_not_keep_what_made_or_proved_its_persona(
    episode: Episode, tmp_path: Path
) -> None:
    async with aligning(tmp_path) as agent:
        memory = agent.memory("anna")
        await memory.episodes.add([*walks(5, [RULE]), episode])
        await agent.align("anna")
        proof = (await memory.personas.current()).proof
        assert proof is not None
        assert CANARY in str(proof)
        answer = await agent.ask("Tell me about the pier?", "anna", top_k=0)
        await agent.forget("anna", ["secret"])
        await memory.episodes.delete([answer.episode_id or ""])  # the actor may have said the word
        await agent._files.erase_deleted()
        assert holding(tmp_path) == set()


async def test_a_conversation_does_not_keep_a_label_that_its_facts_told(tmp_path: Path) -> None:
    """It goes with the last episode that says so."""
    wanted = (CANARY, CANARY, "cat", "cat")
    async with aligning(tmp_path) as agent:
        memory = agent.memory("anna")
        labelled = [
            walk.model_copy(update={"ground_truth": animal, "task": "animal"})
            for walk, animal in zip(walks(4, []), wanted, strict=True)
        ]
        await memory.episodes.add(labelled)
        answer = await agent.ask("Tell me about the pier?", "anna", top_k=0)
        assert CANARY in answer.reply, "it was told"
        await memory.episodes.delete([answer.episode_id or ""])  # which says the word itself
        assert (await agent.forget("anna", ["walk0"])).threads == []
        assert "checkpoints.sqlite" in holding(tmp_path)
        assert len((await agent.forget("anna", ["walk1"])).threads) == 1
        assert holding(tmp_path) == set()


@asynccontextmanager
async def aligning(home: Path) -> AsyncIterator[LocalAgent]:
    """The agent, whose models repeat the word wherever they are told it."""
    script = over_http(Scripted(propose=propose, critique=critic, actor=actor))
    with scripted_endpoint(script) as endpoint:
        settings = load_settings(
            home=home,
            openai_base_url=endpoint.base_url,
            model="m",
            model_retries=0,
            embeddings="openai:words",
            align_text_metric="rouge",
        )
        async with open_local(settings) as agent:
            yield agent


def holding(home: Path) -> set[str]:
    """The files of the data folder in which the word stands."""
    word = CANARY.encode()
    return {path.name for path, held in contents(home).items() if word in held}
