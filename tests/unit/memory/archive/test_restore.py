"""A backup from before something was forgotten does not bring it back, nor what was drawn from it."""

from pathlib import Path

from personaagent.core.settings import load_settings
from personaagent.memory.archive.reader import open_archive
from personaagent.memory.archive.restore import restore
from personaagent.memory.archive.writer import backup_file
from personaagent.memory.forget import forget, forget_all
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


async def test_a_replacing_restore_brings_nothing_back_that_was_forgotten_here(
    tmp_path: Path,
) -> None:
    anna, settings = memory_of("anna", tmp_path), load_settings(home=tmp_path)
    await remember(anna, episode("e1", "Under the stone."), episode("e2", "My dog?", 1))
    [stone, _] = await anna.profile.statements.add(["The key is under a stone.", "Has a dog."])
    await anna.profile.statements.edit(stone.id, "The key is under the stone.")
    await backup_file(anna, settings, tmp_path / "anna.zip")
    await anna.profile.statements.forget(stone.id)
    await forget(anna, ["e1"], Threads().delete)

    await forget_all(anna, [], Threads().delete, keep_tombstones=True)
    assert not await anna.exists()
    with open_archive(tmp_path / "anna.zip") as archive:
        restored = await restore(anna, archive, settings)
    assert (restored.added, restored.forgotten, restored.statements) == (1, 1, 1)
    assert [each.id async for each in anna.episodes.scan()] == ["e2"]
    assert [each.text for each in (await anna.profile.read()).summary] == ["Has a dog."]
    assert "stone" not in str(await anna.profile.statements.history.changes())

    await backup_file(anna, settings, tmp_path / "later.zip")
    other = memory_of("anna", tmp_path)
    await remember(other, episode("e9", "Where?"))
    await forget(other, ["e9"], Threads().delete)  # this machine has a key of its own
    for name in ("later.zip", "anna.zip"):
        with open_archive(tmp_path / name) as archive:
            await restore(other, archive, settings)
    assert [each.id async for each in other.episodes.scan()] == ["e2"]
    assert [each.text for each in (await other.profile.read()).summary] == ["Has a dog."]
