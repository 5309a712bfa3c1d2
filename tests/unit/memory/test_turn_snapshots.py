"""What a turn has read serves that turn alone, and nobody who has forgotten something since."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.memory.forget import forget, forget_all
from personaagent.memory.forget_statement import forget_statement
from personaagent.memory.snapshot import Snapshot, Wanted
from personaagent.memory.turn_snapshots import TurnRead, TurnSnapshots, wanted_by_turn
from personaagent.memory.user import UserMemory
from tests.unit.memory.test_forget import Threads, full_memory


async def keep_what_a_turn_reads(memory: UserMemory, turn: str = "turn") -> str:
    """Returns the generation."""
    snapshot = await memory.store.read(wanted_by_turn("thread-1", 5))
    memory.turns.keep(memory.store.key, turn, TurnRead(snapshot, frozenset({"note"})))
    return str(snapshot.generation)


async def test_it_serves_its_turn_in_its_generation_alone(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    turns, key, generation = anna.turns, anna.store.key, await keep_what_a_turn_reads(anna)
    assert turns.of(key, "turn", generation) is not None
    assert turns.of(key, "turn", "another") is None
    assert turns.of(key, "later", generation) is None
    assert turns.of("ben", "turn", generation) is None
    assert turns.noted(key, "turn") == {"note"}
    turns.drop(key, "turn")
    assert turns.of(key, "turn", "") is None
    assert turns.noted(key, "turn") == frozenset()


async def _episode(memory: UserMemory, delete: Any) -> object:
    return await forget(memory, ["e1"], delete)


async def _statement(memory: UserMemory, delete: Any) -> object:
    [first, *_] = (await memory.profile.statements.read()).statements
    return await forget_statement(memory, first.id, delete)


async def _all(memory: UserMemory, delete: Any) -> object:
    return await forget_all(memory, [], delete)


@pytest.mark.parametrize("forgetting", [_episode, _statement, _all])
async def test_a_turn_under_way_reads_again_after_a_forgetting(
    forgetting: Callable[[UserMemory, Any], Awaitable[object]], tmp_path: Path
) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    generation = await keep_what_a_turn_reads(anna)
    anna.turns.keep(
        "ben", "turn", TurnRead(await anna.store.read(wanted_by_turn(None, 0)), frozenset())
    )
    await forgetting(anna, Threads().delete)
    assert anna.turns.of(anna.store.key, "turn", "") is None
    assert anna.turns.of(anna.store.key, "turn", generation) is None
    assert anna.turns.of("ben", "turn", "") is not None


def test_turns_that_never_end_do_not_fill_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personaagent.memory.turn_snapshots.MOST_TURNS", 3)
    turns, read = TurnSnapshots(), TurnRead(Snapshot(Wanted([]), {}, {}), frozenset())
    for number in range(5):
        turns.keep("anna", str(number), read)
    assert [n for n in range(5) if turns.of("anna", str(n), "")] == [2, 3, 4]
