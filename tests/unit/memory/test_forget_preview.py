"""The preview of forgetting says what forgetting then does, and does none of it."""

from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import UnknownEpisode
from personaagent.memory.derived import Derived
from personaagent.memory.forget import forget
from personaagent.memory.forget_preview import preview_forgetting
from tests.support.memories import episode, remember
from tests.unit.memory.test_forget import RULES, STATEMENTS, Threads, everything, full_memory

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.mark.parametrize("derived", ["blank", "forget", "keep"])
async def test_the_preview_is_what_the_receipt_says(tmp_path: Path, derived: Derived) -> None:
    store, threads = InMemoryStore(), Threads()
    anna = await full_memory(tmp_path, store)
    drawn = episode("e3", "which bread?", day=2, metadata={"recalled": ["e1"]})
    await remember(anna, drawn)
    await anna.conversations.note("thread-4", ["e3"])
    before = await everything(store)
    preview = await preview_forgetting(anna, "e1", derived)
    assert await everything(store) == before
    receipt = await forget(anna, ["e1"], threads.delete, derived=derived)
    shown = (preview.episodes, preview.rules, preview.threads, preview.blanked)
    assert shown == (receipt.episodes, receipt.rules, receipt.threads, receipt.blanked)
    assert preview.statements == receipt.statements


async def test_what_rests_on_others_too_is_shown_to_stay(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    await anna.personas.publish(RULES, author="user", note="", parent=3)
    preview = await preview_forgetting(anna, "e1")
    assert [each.text for each in preview.remaining_rules] == [RULES[2].text]
    assert [each.text for each in preview.remaining_statements] == [STATEMENTS[1].text]
    with pytest.raises(UnknownEpisode):
        await preview_forgetting(anna, "e9")
