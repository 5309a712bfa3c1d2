"""Undo takes back the last change, then the one before; what is forgotten leaves no trace in it."""

import json
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import Conflict, UsageError
from personaagent.core.weights import Weights
from personaagent.memory.exchange.importer import import_episodes
from personaagent.memory.forget import forget
from personaagent.memory.journal import KEPT_CHANGES, Journal
from personaagent.memory.persona_edits import edit_persona
from personaagent.memory.undo import Undoable, last_change, undo
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, memory_of, remember
from tests.unit.memory.test_forget import Threads, everything


async def undone(memory: UserMemory) -> Undoable:
    return await undo(memory, await last_change(memory), Threads().delete)


async def nothing_left(memory: UserMemory) -> bool:
    with pytest.raises(UsageError, match="no change to undo"):
        await last_change(memory)
    return True


async def test_feedback_is_taken_back_step_by_step(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", "Which phone?"), episode("e2", "Which phone?", 1))
    await anna.episodes.give_feedback("e2", "accept")
    await anna.episodes.give_feedback("e2", "edit", "A Fairphone 6.")
    assert (await anna.episodes.get("e1")).superseded_by == "e2"

    shown = await last_change(anna)
    assert shown.details[0].endswith("-> A Fairphone 6.")
    await undo(anna, shown, Threads().delete)
    first, second = await anna.episodes.find(["e1", "e2"])
    assert (second.signal, first.superseded_by) == ("accept", None)
    await undone(anna)
    second = await anna.episodes.get("e2")
    assert (second.signal, second.ground_truth) == (None, None)
    assert list(await anna.unaligned.entries()) == []
    assert (await anna.profile.read()).facts == []
    assert await nothing_left(anna)


async def test_what_was_shown_is_undone_once(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1"))
    await anna.episodes.give_feedback("e1", "reject")
    shown = await last_change(anna)
    await anna.episodes.give_feedback("e1", "edit", "Later.")
    with pytest.raises(Conflict, match="changed since"):
        await undo(anna, shown, Threads().delete)
    assert (await anna.episodes.get("e1")).ground_truth == "Later."
    await undone(anna)
    await undo(anna, shown, Threads().delete)
    with pytest.raises(Conflict, match="already"):
        await undo(anna, shown, Threads().delete)


async def test_versions_of_the_persona_are_taken_back(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    start = (await anna.personas.current()).rules
    await edit_persona(anna.personas, added=["Be short."], replaced=[], removed=[])
    added = (await anna.personas.current()).rules
    await anna.personas.lock_rule(added[-1].id, locked=True)
    assert "lock" in (await last_change(anna)).title
    await undone(anna)
    assert (await anna.personas.current()).rules == added
    assert (await undone(anna)).details == [f"{added[-1].id}: (none) -> Be short."]
    current = await anna.personas.current()
    assert (current.rules, current.note) == (start, "undo version 2")
    assert len(await anna.personas.history()) == 5, "versions are only added"
    assert await nothing_left(anna)


async def test_weights_are_taken_back_with_their_version(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    rules = (await anna.personas.current()).rules
    weights = [Weights(task="genre", model=2.0)]
    await anna.personas.publish(rules, weights=weights, author="user", note="weigh", parent=1)
    shown = await last_change(anna)
    assert shown.details == ["weights:genre: (none) -> history 1, model 2, names 0"]
    await anna.personas.lock_rule("weights:genre", locked=True)
    with pytest.raises(Conflict, match="changed since"):
        await undo(anna, shown, Threads().delete)
    await undone(anna)
    assert (await anna.personas.current()).weights == weights
    await undone(anna)
    assert (await anna.personas.current()).weights == []


async def test_the_latest_of_all_kinds_is_first(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1"))
    await anna.episodes.give_feedback("e1", "reject")
    [statement] = await anna.profile.statements.add(["Lives in Malmo."])
    await edit_persona(anna.personas, added=["Be short."], replaced=[], removed=[])
    await anna.profile.statements.edit(statement.id, "Lives in Lisbon.")
    kinds = [(await undone(anna)).kind for _ in range(4)]
    assert kinds == ["profile", "persona", "profile", "feedback"]
    assert (await anna.profile.read()).summary == []
    assert await nothing_left(anna)


async def test_an_import_is_taken_back_and_may_come_again(tmp_path: Path) -> None:
    store = InMemoryStore()
    anna = memory_of("anna", tmp_path, store=store)
    await remember(anna, episode("mine", "my dog"))
    file = tmp_path / "many.jsonl"
    lines = [{"id": f"i{n}", "query": f"question {n}", "response": "x"} for n in range(600)]
    file.write_text(
        "\n".join(map(json.dumps, [*lines, {"id": "mine", "query": "q", "response": "r"}]))
    )
    await import_episodes(anna, file)
    await anna.episodes.give_feedback("i3", "reject")
    await undone(anna)
    assert "600 episodes" in (await undone(anna)).details[0]
    assert [each.id async for each in anna.episodes.scan()] == ["mine"]
    assert "i599" not in str(await everything(store))
    again = await import_episodes(anna, file)
    assert (again.added, again.forgotten) == (600, 0)


async def test_an_import_that_adds_nothing_is_no_change(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("mine", "my dog"))
    file = tmp_path / "one.jsonl"
    file.write_text('{"id": "mine", "query": "q", "response": "r"}')
    await import_episodes(anna, file)
    assert await nothing_left(anna)


async def test_forgetting_takes_the_changes_of_the_episode_and_cannot_be_undone(
    tmp_path: Path,
) -> None:
    store = InMemoryStore()
    anna = memory_of("anna", tmp_path, store=store)
    file = tmp_path / "two.jsonl"
    lines = [{"id": id, "query": id, "response": "r"} for id in ("i1", "i2")]
    file.write_text("\n".join(map(json.dumps, lines)))
    await import_episodes(anna, file)
    await anna.episodes.give_feedback("i1", "edit", "The blue boat.")
    await anna.episodes.give_feedback("i1", "edit", "The red boat.")
    await forget(anna, ["i1"], Threads().delete)
    left = str(await everything(store))
    assert "boat" not in left
    assert "i1" not in left
    assert "1 episode," in (await last_change(anna)).details[0]


async def test_the_journal_has_a_bounded_length(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1"))
    for number in range(KEPT_CHANGES + 5):
        await anna.episodes.give_feedback("e1", "edit", f"text {number}")
    entries = await Journal(anna.store).entries()
    assert len(entries) == KEPT_CHANGES
    assert entries[-1].labels[0].after["ground_truth"] == f"text {KEPT_CHANGES + 4}"


async def test_undoing_what_brought_it_back_leaves_it_forgotten(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"query": "my dog", "response": "r"}))
    await import_episodes(anna, file)
    await forget(anna, [each.id async for each in anna.episodes.scan()], Threads().delete)
    assert (await import_episodes(anna, file, include_forgotten=True)).added == 1
    await undone(anna)
    assert (await import_episodes(anna, file)).forgotten == 1


async def test_an_import_of_which_all_is_forgotten_is_no_change(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"id": "i1", "query": "my dog", "response": "r"}))
    await import_episodes(anna, file)
    await forget(anna, ["i1"], Threads().delete)
    assert await nothing_left(anna)
