"""Statements that a user adds, corrects, locks, forgets and takes back."""

import asyncio
import json
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import Conflict, Unknown, UsageError
from personaagent.core.records import Statement
from personaagent.memory.forget import forget, forget_all
from personaagent.memory.hiding import Hidden
from personaagent.memory.statement_checks import MAX_OWN_STATEMENTS
from personaagent.memory.user import UserMemory
from tests.support.memories import START, episode, memory_of, remember

STATEMENTS = [
    Statement(text="The user lives in Malmo.", evidence=["e1"]),
    Statement(text="The user bakes.", evidence=["e1", "e2"]),
]


async def anna_of(home: Path, store: InMemoryStore | None = None) -> UserMemory:
    """Anna, of whom a summary says where she lives and what she does."""
    anna = memory_of("anna", home, store=store)
    await remember(anna, episode("e1", "I bake in Malmo"), episode("e2", "More rye"))
    await anna.profile.write_summary([*STATEMENTS], {})
    return anna


async def texts(memory: UserMemory) -> list[str]:
    return [each.text for each in (await memory.profile.read()).summary]


def everything(store: InMemoryStore, user: UserMemory) -> str:
    """All that is stored about the user, except the episodes."""
    items = store.search(("users", user.store.key), limit=1000)
    return json.dumps([item.value for item in items if item.namespace[-1] != "episodes"])


async def test_statements_get_ids_that_stay(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    [added] = await anna.profile.statements.add(["Two daughters"])
    assert (added.id, added.source, added.fixed) == ("s3", "user", True)
    await anna.profile.statements.forget("s3")
    [added] = await anna.profile.statements.add(["Three daughters"])
    assert added.id == "s4", "an id is never used again"


async def test_a_statement_of_an_earlier_version_opens_and_can_be_mended(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    old = {"statements": [{"text": "Old.", "evidence": ["e1"]}], "at": "2026-01-01T00:00:00Z"}
    await anna.store.write([("profile", "summary", old)])
    assert (await anna.profile.statements.get("s1")).text == "Old."
    assert (await anna.profile.statements.edit("s1", "New.")).text == "New."
    assert await texts(anna) == ["New."]


async def test_a_correction_is_the_users_own_and_no_summary_changes_it(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    corrected = await anna.profile.statements.edit("s1", "The user lives in Lisbon.")
    assert (corrected.source, corrected.evidence) == ("user", [])
    summary = [
        corrected.model_copy(update={"text": "The user lives in Malmo.", "evidence": ["e2"]}),
        Statement(text="The user likes rye.", evidence=["e2"]),
    ]
    await anna.profile.write_summary(summary, {})
    assert await texts(anna) == ["The user lives in Lisbon.", "The user likes rye."]


async def test_a_locked_statement_outlives_a_summary_that_leaves_it_out(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    await anna.profile.statements.set_lock("s2", locked=True)
    await anna.profile.write_summary([], {})
    assert await texts(anna) == ["The user bakes."]
    await anna.profile.statements.set_lock("s2", locked=False)
    await anna.profile.write_summary([], {})
    assert await texts(anna) == []


async def test_a_summary_keeps_what_the_user_changed_while_it_was_written(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    base = (await anna.profile.read()).summary
    await anna.profile.statements.add(["Has a boat"], source="chatgpt")
    await anna.profile.statements.forget("s2")
    proposed = [base[0], base[1].model_copy(update={"text": "The user bakes rye."})]
    await anna.profile.write_summary(proposed, {}, base)
    assert await texts(anna) == ["The user lives in Malmo.", "Has a boat"]


async def test_changes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    statements = anna.profile.statements
    await asyncio.gather(*(statements.add([f"Fact {n}"]) for n in range(8)))
    assert len(await texts(anna)) == 10
    assert [change.number for change in await statements.history.changes()] == [*range(1, 10)]


async def test_what_was_forgotten_comes_back_in_no_words_of_the_same_episodes(
    tmp_path: Path,
) -> None:
    anna = await anna_of(tmp_path)
    await anna.profile.statements.forget("s1")
    again = [
        Statement(text="the user lives in MALMO", evidence=["e2"]),
        Statement(text="Malmo is where the user lives.", evidence=["e1"]),
    ]
    kept = (await anna.profile.read()).summary
    await anna.profile.write_summary([*kept, *again], {})
    assert await texts(anna) == ["The user bakes."]
    assert await anna.profile.statements.add(["The user lives in Malmo."], source="chatgpt") == []
    [added] = await anna.profile.statements.add(["The user lives in Malmo."])
    assert added.source == "user", "the user's own word counts"


async def test_nothing_stored_shows_what_was_forgotten(tmp_path: Path) -> None:
    store = InMemoryStore()
    anna = await anna_of(tmp_path, store)
    await anna.profile.statements.edit("s1", "The user hides in Ystad.")
    await anna.profile.statements.edit("s1", "The user hides in Lund.")
    await anna.profile.statements.forget("s1")
    stored = everything(store, anna)
    assert not any(place in stored for place in ("Malmo", "Ystad", "Lund"))
    assert "The user bakes." in stored


async def test_forgetting_an_episode_takes_its_statements_out_of_the_history(
    tmp_path: Path,
) -> None:
    store = InMemoryStore()
    anna = await anna_of(tmp_path, store)
    await anna.profile.statements.add(["Has a boat"])

    async def no_threads(threads: object) -> None:
        pass

    receipt = await forget(anna, ["e1"], no_threads)
    assert [each.text for each in receipt.statements] == ["The user lives in Malmo."]
    assert "Malmo" not in everything(store, anna)
    assert await texts(anna) == ["The user bakes.", "Has a boat"], "the user's own needs no episode"
    await forget_all(anna, [], no_threads)
    assert everything(store, anna) == "[]"


async def test_the_history_tells_who_changed_what(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    await anna.profile.statements.edit("s1", "Lives in Lisbon.")
    await anna.profile.statements.add(["Has a boat"], source="claude")
    changes = await anna.profile.statements.history.changes()
    assert [(each.author, each.note) for each in changes] == [
        ("summary", "add s1, s2"),
        ("user", "change s1"),
        ("import", "add s3"),
    ]
    assert [each.text for each in changes[1].before] == ["The user lives in Malmo."]


async def test_undo_takes_one_change_back_and_leaves_later_ones(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    statements = anna.profile.statements
    await statements.edit("s1", "Lives in Lisbon.")
    await statements.edit("s2", "Bakes rye.")
    assert (await statements.undo(2)).undoes == 2
    assert await texts(anna) == ["The user lives in Malmo.", "Bakes rye."]
    assert (await statements.get("s1")).evidence == ["e1"]
    last = await statements.history.last_undoable()
    assert last is not None
    assert last.number == 3, "what is undone is passed over"


async def test_undo_brings_back_what_a_summary_removed(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    await anna.profile.write_summary([], {})
    assert await texts(anna) == []
    await anna.profile.statements.undo(2)
    assert await texts(anna) == [each.text for each in STATEMENTS]


async def test_what_was_changed_since_or_forgotten_cannot_be_undone(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    statements = anna.profile.statements
    await statements.edit("s1", "Lives in Lisbon.")
    await statements.edit("s1", "Lives in Porto.")
    with pytest.raises(Conflict, match="changed or forgotten"):
        await statements.undo(2)
    await statements.forget("s1")
    with pytest.raises(Conflict):
        await statements.undo(3)
    with pytest.raises(Unknown, match="no change 9"):
        await statements.undo(9)


async def test_what_cannot_be_a_statement_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    anna = await anna_of(tmp_path)
    statements = anna.profile.statements
    for bad in ("", " ", "x" * 501, "a\x00b"):
        with pytest.raises(UsageError):
            await statements.add(["Good.", bad])
    with pytest.raises(UsageError, match="at most 100"):
        await statements.add([f"Fact {n}" for n in range(MAX_OWN_STATEMENTS + 1)])
    with pytest.raises(Unknown, match="no statement 's9'"):
        await statements.edit("s9", "New.")
    assert await texts(anna) == [each.text for each in STATEMENTS]


async def test_statements_of_the_users_own_are_hidden_by_their_time(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    await anna.profile.statements.add(["Of then."], source="chatgpt", written={"Of then.": START})
    await anna.profile.statements.add(["Of now."])
    then = anna.hiding(Hidden(before=START.replace(month=2)))
    assert await texts(then) == [*(each.text for each in STATEMENTS), "Of then."]


async def test_the_same_statement_is_added_once(tmp_path: Path) -> None:
    anna = await anna_of(tmp_path)
    added = await anna.profile.statements.add(["Has a boat", "has a boat.", "the user BAKES"])
    assert [each.text for each in added] == ["Has a boat"]
    assert await anna.profile.statements.add(["Has a boat"]) == []
    assert len(await anna.profile.statements.history.changes()) == 2
