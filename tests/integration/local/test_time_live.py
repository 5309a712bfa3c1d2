"""What the embedded language model makes of time, and of what only tells something."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from personaagent import PersonaAgent
from personaagent.core.settings import load_settings
from personaagent.models.embedded import stop

pytestmark = pytest.mark.live

HOME = load_settings().home
Line = tuple[str, str]
"""A day, and what the user said on it."""

MALMO = [("2025-12-01", "I live in Malmo.")]
LISBON = [("2026-08-20", "I live in Lisbon since August.")]
OTHERS = [
    ("2026-01-04", "My dog is called Rex."),
    ("2026-03-04", "I am allergic to peanuts."),
    ("2026-04-11", "My sister Elin has a garden."),
    ("2026-05-02", "I work as a nurse."),
    ("2026-09-02", "What is a good book about the sea?"),
]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[PersonaAgent]:
    """An agent in a folder of its own, with the models of the user who runs the test."""
    (HOME / "models").mkdir(parents=True, exist_ok=True)
    (tmp_path / "models").symlink_to(HOME / "models")
    async with PersonaAgent(load_settings(home=tmp_path, summary_every=0)) as agent:
        yield agent
    stop()


async def learn(agent: PersonaAgent, folder: Path, *imports: Sequence[Line]) -> None:
    """Import these, one file after the other."""
    file = folder / "history.jsonl"
    for lines in imports:
        entries = [
            {"query": text, "response": "Noted.", "created_at": f"{day}T10:00:00Z"}
            for day, text in lines
        ]
        file.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
        await agent.memory("anna").import_file(file)


@pytest.mark.parametrize("order", [[MALMO, LISBON], [LISBON, MALMO], [[*LISBON, *OTHERS], MALMO]])
async def test_the_newer_home_counts_in_whatever_order_they_were_imported(
    order: list[list[Line]], agent: PersonaAgent, tmp_path: Path
) -> None:
    await learn(agent, tmp_path, *order)
    answer = await agent.ask("Where do I live?", user="anna", incognito=True)
    assert "Lisbon" in answer.reply
    assert "Malmo" not in answer.reply


async def test_a_plain_statement_is_acknowledged_and_not_answered_from_memory(
    agent: PersonaAgent, tmp_path: Path
) -> None:
    await learn(agent, tmp_path, [*MALMO, *LISBON, *OTHERS])
    for text in ("My sister got a new job at the harbour.", "I bought a Fairphone 6 today."):
        answer = await agent.ask(text, user="anna", incognito=True)
        assert answer.tool_calls == []
        assert 0 < len(answer.reply) <= 200
        assert "thank" in answer.reply.lower()
        for memory in ("Lisbon", "Malmo", "Rex", "peanut", "nurse"):
            assert memory not in answer.reply
