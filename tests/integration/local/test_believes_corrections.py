"""The embedded model after a correction: it gives the correction, not its own mistake."""

from pathlib import Path

import pytest

from personaagent import PersonaAgent
from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local

pytestmark = pytest.mark.live

MISTAKE = "That is a good choice: it is a phone designed by Google."


async def test_the_correction_comes_back(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, summary_every=0)
    (tmp_path / "models").symlink_to(load_settings().home / "models")
    async with open_local(settings) as local:
        told = await local.ask("I bought a Fairphone 6 today.", "ann")
        asked = await local.ask("Which phone do I have?", "ann")
        # what the model says differs by version: so its mistake is put there
        memory = local.memory("ann")
        for id in (told.episode_id, asked.episode_id):
            assert id is not None
            episode = await memory.episodes.get(id)
            await memory.episodes.add([episode.model_copy(update={"response": MISTAKE})])
        assert asked.episode_id is not None
    async with PersonaAgent(settings) as agent:
        before = await agent.ask("Which phone did I buy?", user="ann")
        assert "Fairphone" in before.reply
        assert "Google" not in before.reply
        await agent.feedback(asked.episode_id, user="ann", edit="A Fairphone 6, made in Amsterdam.")
        after = await agent.ask("Which phone do I have?", user="ann")
    assert "Fairphone" in after.reply
    assert "Google" not in after.reply
