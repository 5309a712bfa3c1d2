"""The list of what was forgotten: when and how much, and not a word of it."""

import json
from pathlib import Path

from langgraph.store.memory import InMemoryStore

from personaagent.core.records import now
from personaagent.memory.exchange.importer import import_episodes
from personaagent.memory.forget import forget, forget_all
from personaagent.memory.forget_statement import forget_statement
from personaagent.memory.forgettings import Forgetting, Forgettings
from personaagent.memory.keyed_hash import hash_key
from personaagent.memory.tombstones import Tombstones
from personaagent.memory.undo import last_change, undo
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember
from tests.unit.memory.test_forget import Threads, everything, full_memory


async def listed(memory: UserMemory) -> list[Forgetting]:
    return await Forgettings(memory.store).newest(10)


async def test_it_says_when_and_how_much_was_forgotten(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    before = now()
    receipt = await forget(anna, ["e1"], Threads().delete)
    [entry] = await listed(anna)
    assert before <= entry.at <= now()
    counts = entry.model_dump(exclude={"key", "at"})
    assert counts == {
        "kind": "episodes",
        "episodes": 1,
        "statements": len(receipt.statements),
        "rules": len(receipt.rules),
        "threads": 2,
        "blanked": 0,
    }
    assert entry.statements == 1
    assert await Forgettings(anna.store).unlisted() == 0


async def test_it_keeps_no_text_and_no_id(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path, store=(store := InMemoryStore()))
    await remember(anna, episode("pin-zebra", "My password is zebra."))
    await forget(anna, ["pin-zebra"], Threads().delete)
    assert len(await listed(anna)) == 1
    assert "zebra" not in str(await everything(store))


async def test_the_newest_stands_first_and_a_list_goes_on(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *(episode(f"e{day}", f"query {day}", day) for day in range(3)))
    for ids in (["e0"], ["e1", "e2"]):
        await forget(anna, ids, Threads().delete)
    newest, oldest = await listed(anna)
    assert (newest.episodes, oldest.episodes) == (2, 1)
    assert await Forgettings(anna.store).newest(1) == [newest]
    assert await Forgettings(anna.store).newest(1, newest.key) == [oldest]


async def test_a_statement_is_listed_too(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    await forget_statement(anna, "s3", Threads().delete)
    [entry] = await listed(anna)
    assert (entry.kind, entry.statements, entry.episodes) == ("statement", 1, 0)


async def test_an_import_that_is_undone_was_not_forgotten(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps({"query": "One?", "response": "Yes."}))
    await import_episodes(anna, file)
    await undo(anna, await last_change(anna), Threads().delete)
    assert await listed(anna) == []


async def test_what_was_forgotten_before_there_was_a_list_is_counted(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await anna.store.write([("tombstones", f"{number}", {}) for number in range(6)])
    assert await Forgettings(anna.store).unlisted() == 2


async def test_all_goes_with_everything_but_where_tombstones_are_kept(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    for keep in (True, False):
        await remember(anna, episode("e1", "rye"), episode("e2", "oats", 1))
        await forget(anna, ["e1"], Threads().delete)
        await forget_all(anna, [], Threads().delete, keep_tombstones=keep)
        assert bool(await listed(anna)) == keep


async def test_an_archive_of_this_machine_leaves_it_listed(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    await forget(anna, ["e1"], Threads().delete)
    hashes = [hash async for hash, _ in anna.store.scan("tombstones")]
    key = (await hash_key(anna.store)).hex()
    await Tombstones(anna.store).merge(key, [], [*hashes, "another"])
    assert await Forgettings(anna.store).unlisted() == 1
