"""Whoever began before everything was forgotten writes nothing more, and brings nothing back."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import Conflict, Forgotten, UnknownEpisode
from personaagent.core.records import Rule
from personaagent.core.settings import load_settings
from personaagent.memory.data_folder import open_store
from personaagent.memory.exchange import importer
from personaagent.memory.exchange.importer import import_episodes
from personaagent.memory.forget import forget, forget_all
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import Need
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode, index_in_memory, memory_of, remember

E1_AND_E2: list[Need] = [("episodes", "e1"), ("episodes", "e2")]
Write = Callable[[UserMemory], Awaitable[object]]
EVERY_WRITE: dict[str, Write] = {
    "a turn": lambda anna: anna.remember(episode("new", "a secret"), 1),
    "an import": lambda anna: anna.episodes.add([episode("new", "a secret")]),
    "a statement": lambda anna: anna.profile.statements.add(["I have a secret."]),
    "a persona": lambda anna: anna.personas.begin(),
    "a notice": lambda anna: anna.notices.add(1, "A secret was learned."),
    "a conversation": lambda anna: anna.conversations.note("thread", ["e1"]),
    "a simulation": lambda anna: anna.simulations.put("s", {"answer": "a secret"}),
    "a restore": lambda anna: anna.store.begin(),
}


async def no_threads(_: object) -> None:
    """Where conversations are kept: nowhere."""


async def everything(store: InMemoryStore) -> list[Any]:
    return await store.asearch((), limit=1000)


@pytest.mark.parametrize("kind", EVERY_WRITE)
async def test_what_began_before_writes_nothing_after(kind: str, tmp_path: Path) -> None:
    store, index = InMemoryStore(), index_in_memory()
    before = memory_of("anna", tmp_path, store=store, index=index)
    await remember(before, episode("e1", "rye bread"))
    forgetting = memory_of("anna", tmp_path, store=store, index=index)
    await forget_all(forgetting, [], no_threads)
    with pytest.raises(Forgotten):
        await EVERY_WRITE[kind](before)
    assert await everything(store) == []
    await EVERY_WRITE[kind](memory_of("anna", tmp_path, store=store, index=index))
    assert await everything(store), "what begins afterwards may write"


async def test_a_user_of_whom_nothing_is_stored_can_be_forgotten_beside_their_first_turn(
    tmp_path: Path,
) -> None:
    store = InMemoryStore()
    first = memory_of("anna", tmp_path, store=store)
    await first.store.begin()
    await forget_all(memory_of("anna", tmp_path, store=store), [], no_threads)
    with pytest.raises(Forgotten):
        await first.remember(episode("e1", "rye bread"), 1)
    assert await everything(store) == []


async def test_others_are_not_touched(tmp_path: Path) -> None:
    store = InMemoryStore()
    ben = memory_of("ben", tmp_path, store=store)
    await remember(ben, episode("b1", "my dog", user_id="ben"))
    await forget_all(memory_of("anna", tmp_path, store=store), [], no_threads)
    await remember(ben, episode("b2", "my cat", user_id="ben"))
    assert [each.id async for each in ben.episodes.oldest_first()] == ["b1", "b2"]


async def test_forgetting_again_finds_nothing_and_succeeds(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1"))
    assert (await forget_all(anna, [], no_threads)).episodes == ["e1"]
    assert (await forget_all(anna, [], no_threads)).episodes == []


async def test_an_index_elsewhere_keeps_nothing_of_a_writer_that_is_late(tmp_path: Path) -> None:
    store, index = InMemoryStore(), index_in_memory()
    late = memory_of("anna", tmp_path, store=store, index=index)
    await remember(late, episode("e1", "rye bread"))
    await late.episodes.add([episode("e2", "oat bread")])
    await forget_all(memory_of("anna", tmp_path, store=store, index=index), [], no_threads)
    with pytest.raises(Forgotten):
        await late.indexer.add([episode("e2", "oat bread")], ["e2"])
    assert not await index.has_entries(late.store.key)


async def test_an_index_elsewhere_keeps_nothing_of_an_episode_that_was_just_forgotten(
    tmp_path: Path,
) -> None:
    index = index_in_memory()
    anna = memory_of("anna", tmp_path, index=index)
    await remember(anna, episode("e1", "rye bread"), episode("e2", "oat bread"))
    await forget(anna, ["e1"], no_threads)
    await anna.indexer.add([episode("e1", "rye bread"), episode("e2", "oat bread")], [])
    assert await index.count_of(anna.store.key, ["e1"]) == 0
    assert await index.count_of(anna.store.key, ["e2"]) == 1


async def test_a_turn_that_recalled_what_was_forgotten_meanwhile_is_not_remembered(
    tmp_path: Path,
) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", "rye bread"), episode("e2", "my dog"))
    await forget(anna, ["e1"], no_threads)
    with pytest.raises(Forgotten):
        await anna.remember(episode("e3", "bread?", response="Rye."), 1, needs=E1_AND_E2)
    await anna.remember(episode("e4", "a dog?"), 1, needs=E1_AND_E2[1:])
    assert {each.id async for each in anna.episodes.oldest_first()} == {"e2", "e4"}


async def test_many_forgettings_at_once_leave_nothing_though_each_answer_rests_on_the_others(
    tmp_path: Path,
) -> None:
    store, index = InMemoryStore(), index_in_memory()

    def anna() -> UserMemory:
        return memory_of("anna", tmp_path, store=store, index=index)

    ids = [f"e{number}" for number in range(24)]
    await remember(
        anna(),
        *(episode(id, f"question {id}", metadata={"recalled": ids}, day=1) for id in ids),
        episode("left", "drawn from them", metadata={"recalled": ids}, day=2),
    )

    async def forget_one(id: str) -> None:
        memory = anna()
        async with memory.forgetting():
            await forget(memory, [id], no_threads)

    await asyncio.gather(*map(forget_one, ids))
    assert [(each.id, each.response) async for each in anna().episodes.scan()] == [("left", "")]


async def test_feedback_beside_forgetting_brings_nothing_back(tmp_path: Path) -> None:
    store, index = InMemoryStore(), index_in_memory()

    def anna() -> UserMemory:
        return memory_of("anna", tmp_path, store=store, index=index)

    ids = [f"e{number}" for number in range(12)]
    await remember(anna(), *(episode(id, "the same question") for id in ids))
    feedback = [anna().episodes.give_feedback(id, "edit", f"secret of {id}") for id in ids]
    forgettings = [forget(anna(), [id], no_threads) for id in ids]
    mixed = [each for pair in zip(feedback, forgettings, strict=True) for each in pair]
    await asyncio.gather(*mixed, return_exceptions=True)
    assert [each.id async for each in anna().episodes.scan()] == []
    assert "secret" not in str(await everything(store))


async def test_who_comes_too_late_leaves_no_lock_that_shows_who_was_here(tmp_path: Path) -> None:
    store, index = InMemoryStore(), index_in_memory()
    settings = load_settings(home=tmp_path)
    memory = Memory(settings, BagEmbedder(), index)
    late = memory.of(store, "anna")
    await remember(late, episode("e1"))
    forgetting = memory.of(store, "anna")
    async with forgetting.forgetting():
        await forget_all(forgetting, [], no_threads)
        await memory.drop_lock("anna")
    for write in (late.episodes.give_feedback("e1", "accept"), late.personas.begin()):
        with pytest.raises((UnknownEpisode, Forgotten)):
            await write
    async with memory.of(store, "anna").forgetting():
        assert os.listdir(tmp_path / "locks"), "it was held"
    assert os.listdir(tmp_path / "locks") == []


async def import_beside(
    home: Path, monkeypatch: pytest.MonkeyPatch, import_into: UserMemory, other: UserMemory
) -> None:
    """Import 2,000 episodes, and forget the user when some of them are stored."""
    file = home / "history.jsonl"
    lines = [json.dumps({"id": f"i{n}", "query": f"q{n}", "response": "r"}) for n in range(2000)]
    file.write_text("\n".join(lines), "utf-8")
    add, calls = importer._add, 0

    async def add_and_forget(*arguments: Any, **options: Any) -> list[str]:
        nonlocal calls
        warnings = await add(*arguments, **options)
        calls += 1
        if calls == 2:
            receipt = await forget_all(other, [], no_threads)
            assert len(receipt.episodes) > 500
        return warnings

    monkeypatch.setattr(importer, "_add", add_and_forget)
    with pytest.raises(Forgotten):
        await import_episodes(import_into, file)


async def test_an_import_under_way_ends_when_the_user_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, index = InMemoryStore(), index_in_memory()
    one, other = (memory_of("anna", tmp_path, store=store, index=index) for _ in range(2))
    await import_beside(tmp_path, monkeypatch, one, other)
    assert await everything(store) == []
    assert not await index.has_entries(one.store.key)


async def test_so_it_does_in_a_data_folder_that_two_processes_have_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(home=tmp_path)
    async with open_store(tmp_path) as first, open_store(tmp_path) as second:
        one = Memory(settings, BagEmbedder()).of(first, "anna")
        other = Memory(settings, BagEmbedder()).of(second, "anna")
        await import_beside(tmp_path, monkeypatch, one, other)
        index: EpisodeIndex = first.episode_index
        assert not await index.has_entries(one.store.key)
        assert await first.asearch((), limit=10) == []


async def test_an_import_under_way_does_not_bring_back_an_episode_that_is_forgotten_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, index = InMemoryStore(), index_in_memory()
    one, other = (memory_of("anna", tmp_path, store=store, index=index) for _ in range(2))
    file = tmp_path / "history.jsonl"
    lines = [json.dumps({"id": f"i{n}", "query": f"q{n}", "response": "r"}) for n in range(1500)]
    await asyncio.to_thread(file.write_text, lines[-1], "utf-8")
    await import_episodes(one, file)
    await asyncio.to_thread(file.write_text, "\n".join(lines), "utf-8")
    add = importer._add

    async def add_and_forget(*arguments: Any, **options: Any) -> list[str]:
        if await other.episodes.find(["i1499"]):
            await forget(other, ["i1499"], no_threads)
        return await add(*arguments, **options)

    monkeypatch.setattr(importer, "_add", add_and_forget)
    imported = await import_episodes(one, file)
    assert (imported.added, imported.forgotten) == (1499, 1)
    assert await one.episodes.find(["i1499"]) == []


async def test_a_version_that_loses_a_rule_is_not_restored_as_it_was(tmp_path: Path) -> None:
    store = InMemoryStore()
    anna = memory_of("anna", tmp_path, store=store)
    await remember(anna, episode("e1", "rye bread"))
    rule = Rule(id="r9", text="Speak of rye.", evidence=["e1"])
    await anna.personas.publish([rule], author="user", note="", parent=1)
    await anna.personas.publish([], author="user", note="", parent=2)
    with_rule = await anna.personas.get(2)
    await forget(memory_of("anna", tmp_path, store=store), ["e1"], no_threads)
    with pytest.raises(Conflict, match="forgotten"):
        await anna.personas.publish(
            with_rule.rules, author="user", note="", parent=3, restores=with_rule
        )
    assert "Speak of rye" not in str(await everything(store))


async def test_rows_of_an_episode_that_is_not_there_are_not_written_to_the_data_folder(
    tmp_path: Path,
) -> None:
    async with open_store(tmp_path) as store:
        anna = Memory(load_settings(home=tmp_path), BagEmbedder()).of(store, "anna")
        await remember(anna, episode("e1", "rye bread"), episode("e2", "oat bread"))
        gone = await anna.episodes.find(["e1"])
        await forget(anna, ["e1"], no_threads)
        await anna.indexer.add(gone, [])
        assert await store.episode_index.count(anna.store.key) == 1
