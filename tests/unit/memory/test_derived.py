"""Answers that were drawn from a forgotten episode lose their text, go too, or stay."""

from pathlib import Path

from langgraph.store.memory import InMemoryStore

from personaagent.memory.derived import Derived, derived_from
from personaagent.memory.forget import Receipt, forget
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember
from tests.unit.memory.test_forget import Threads, everything

SECRET = "The key lies under the blue stone."
DRAWN = {"response": SECRET, "metadata": {"recalled": ["e1", "e0"]}}


async def full_memory(home: Path, store: InMemoryStore) -> UserMemory:
    anna = memory_of("anna", home, store=store)
    await remember(
        anna,
        episode("e0", "my dog"),
        episode("e1", SECRET),
        episode("e2", "Where is the key?", 1, **DRAWN),
        episode("e3", "And what is wrong?", 2, signal="edit", ground_truth="All well.", **DRAWN),
        episode("e4", "Once more?", 3, signal="accept", **DRAWN),
        episode("e5", "What of my dog?", 4, metadata={"recalled": ["e0"]}),
    )
    return anna


async def forgotten(home: Path, store: InMemoryStore, derived: Derived) -> Receipt:
    anna = await full_memory(home, store)
    return await forget(anna, ["e1"], Threads().delete, derived=derived)


async def test_they_are_found_by_what_they_recalled(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    assert [each.id for each in await derived_from(anna, ["e1"])] == ["e2", "e3", "e4"]
    assert [each.id for each in await derived_from(anna, ["e1", "e3"])] == ["e2", "e4"]


async def test_the_agents_text_goes_and_the_users_words_stay(tmp_path: Path) -> None:
    store = InMemoryStore()
    receipt = await forgotten(tmp_path, store, "blank")
    assert (receipt.episodes, receipt.blanked, receipt.remaining) == (["e1"], ["e2", "e3"], ["e4"])
    anna = memory_of("anna", tmp_path, store=store)
    left = {each.id: each async for each in anna.episodes.scan()}
    assert [left[id].response for id in ("e2", "e3", "e4")] == ["", "", SECRET]
    assert left["e3"].ground_truth == "All well."
    assert left["e5"].response == "answer to What of my dog?"
    found = await anna.recall("Where is the key?", 5)
    assert "e2" in [each.id for each in found.episodes], "it is found by its question"


async def test_they_can_be_forgotten_with_it(tmp_path: Path) -> None:
    store = InMemoryStore()
    receipt = await forgotten(tmp_path, store, "forget")
    assert receipt.episodes == ["e1", "e2", "e3", "e4"]
    assert (receipt.blanked, receipt.remaining) == ([], [])
    assert "blue stone" not in str(await everything(store))


async def test_they_can_stay_and_the_receipt_says_so(tmp_path: Path) -> None:
    receipt = await forgotten(tmp_path, InMemoryStore(), "keep")
    assert (receipt.blanked, receipt.remaining) == ([], ["e2", "e3", "e4"])
