"""A backup from before something was forgotten does not bring it back, nor what was drawn from it."""

from pathlib import Path

from personaagent.core.settings import load_settings
from personaagent.memory.archive.reader import open_archive
from personaagent.memory.archive.restore import restore
from personaagent.memory.archive.writer import backup_file
from personaagent.memory.forget import forget
from tests.support.memories import episode, memory_of, remember
from tests.unit.memory.test_forget import Threads


async def test_answers_drawn_from_what_was_forgotten_lose_their_text(tmp_path: Path) -> None:
    anna, settings = memory_of("anna", tmp_path), load_settings(home=tmp_path)
    drawn = episode("e2", "Where?", 1, response="Stone.", metadata={"recalled": ["e1"]})
    await remember(anna, episode("e1", "Under the stone."), drawn)
    await backup_file(anna, settings, tmp_path / "anna.zip")
    await forget(anna, ["e1"], Threads().delete, derived="forget")
    other = memory_of("anna", tmp_path)
    await remember(other, episode("e1", "Under the stone."))
    await forget(other, ["e1"], Threads().delete)
    with open_archive(tmp_path / "anna.zip") as archive:
        restored = await restore(other, archive, settings)
    assert (restored.added, restored.forgotten) == (1, 1)
    [left] = [each async for each in other.episodes.scan()]
    assert (left.query, left.response) == ("Where?", "")


async def test_links_between_episodes_are_restored(tmp_path: Path) -> None:
    anna, settings = memory_of("anna", tmp_path), load_settings(home=tmp_path)
    await remember(anna, episode("e1", "Which phone?"), episode("e2", "Which phone?", 1))
    await anna.episodes.give_feedback("e2", "edit", "A Fairphone 6.")
    await backup_file(anna, settings, tmp_path / "anna.zip")
    other = memory_of("anna", tmp_path)
    with open_archive(tmp_path / "anna.zip") as archive:
        await restore(other, archive, settings)
    assert (await other.episodes.get("e1")).superseded_by == "e2"
    await forget(other, ["e2"], Threads().delete)
    assert (await other.episodes.get("e1")).superseded_by is None, "the link is found again"
