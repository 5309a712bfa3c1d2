"""Pending sets: what alignment and the summary have not handled yet."""

from pathlib import Path

import pytest

from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.fixture
def anna(tmp_path: Path) -> UserMemory:
    return memory_of("anna", tmp_path)


async def test_labels_are_pending_until_alignment_has_learned_from_them(anna: UserMemory) -> None:
    assert not await anna.unaligned.due(1)
    await remember(
        anna,
        episode("e1", ground_truth="x", day=1),
        episode("e2", ground_truth="y"),
        episode("e3"),
    )
    assert [*await anna.unaligned.entries()] == ["e2", "e1"], "oldest first; no label, no news"
    assert await anna.unaligned.due(2)
    assert not await anna.unaligned.due(3)
    assert not await anna.unaligned.due(0), "on demand only"
    seen = await anna.unaligned.entries()
    await anna.episodes.give_feedback("e2", "edit", "z")
    await anna.episodes.give_feedback("e3", "accept")
    await anna.unaligned.clear(seen)
    assert {*await anna.unaligned.entries()} == {"e2", "e3"}, "labelled since"
    await anna.episodes.give_feedback("e3", "reject")
    await anna.episodes.delete(["e2"])
    assert await anna.unaligned.entries() == {}
    assert [*await anna.profile.unsummarised()] == ["e3", "e1"], "the summary's are its own"
