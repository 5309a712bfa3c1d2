"""How long a persona its user may write: every prompt holds all of it."""

from pathlib import Path

import pytest

from personaagent.core.errors import UsageError
from personaagent.memory.persona_edits import (
    PERSONA_CHARS,
    RULE_CHARS,
    edit_persona,
    length,
    new_rule,
    publish_edited,
)
from personaagent.memory.personas import Personas
from tests.support.imports import opened


async def add(personas: Personas, *texts: str) -> None:
    await edit_persona(personas, added=texts, replaced=[], removed=[])


async def test_a_persona_that_would_fill_the_prompt_is_refused_whole(tmp_path: Path) -> None:
    async with opened(tmp_path) as agent:
        personas = agent.memory("anna").personas
        before = await personas.current()
        with pytest.raises(UsageError, match=r"at most 5,000 are allowed: shorten or remove some"):
            await add(personas, *["x" * (RULE_CHARS - 1)] * 6)
        assert (await personas.current()).rules == before.rules
        await add(personas, *["x" * (RULE_CHARS - 1)] * 4)
        assert length((await personas.current()).rules) <= PERSONA_CHARS


async def test_a_longer_persona_of_an_earlier_version_can_be_shortened(tmp_path: Path) -> None:
    async with opened(tmp_path) as agent:
        personas = agent.memory("anna").personas
        long = [new_rule(f"r{n}", "y" * RULE_CHARS) for n in range(10, 20)]
        await personas.publish(long, author="user", note="earlier", parent=1)
        current = await personas.current()
        shorter = await publish_edited(personas, current, long[:8])
        assert shorter.rules == long[:8]
        with pytest.raises(UsageError):
            await add(personas, "One more.")
