"""What was forgotten is recognised when it comes back, and nothing else is."""

import json
from datetime import timedelta
from pathlib import Path

from langgraph.store.memory import InMemoryStore

from personaagent.memory.exchange.importer import Imported, import_episodes
from personaagent.memory.forget import forget, forget_all
from personaagent.memory.tombstones import Tombstones
from personaagent.memory.user import UserMemory
from tests.support.memories import START, episode, memory_of, remember
from tests.unit.memory.test_forget import Threads, everything


async def imported(
    memory: UserMemory, folder: Path, *lines: object, include_forgotten: bool = False
) -> Imported:
    file = folder / "import.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    return await import_episodes(memory, file, include_forgotten=include_forgotten)


def chat(*answers: str) -> list[object]:
    """A ChatGPT conversation with one question a minute, and an answer to each."""
    nodes: dict[str, object] = {}
    parent = None
    for number, text in enumerate(answers):
        for role, said in (("user", f"question {number}"), ("assistant", text)):
            message = {
                "id": f"{role}-{number}",
                "author": {"role": role},
                "content": {"content_type": "text", "parts": [said]},
                "create_time": START.timestamp() + 60 * number,
            }
            nodes[message["id"]] = {"message": message, "parent": parent}  # type: ignore[index]
            parent = message["id"]
    return [{"conversation_id": "c", "current_node": parent, "mapping": nodes}]


async def test_an_export_of_the_same_conversation_does_not_bring_it_back(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps(chat("one", "two")))
    await import_episodes(anna, file)
    [first, second] = [each async for each in anna.episodes.oldest_first()]
    await forget(anna, [first.id], Threads().delete)

    file.write_text(json.dumps(chat("one, told at more length", "two", "three")))
    again = await import_episodes(anna, file)
    assert (again.added, again.skipped, again.forgotten) == (1, 1, 1)
    assert [each.query async for each in anna.episodes.oldest_first()] == [
        "question 1",
        "question 2",
    ]

    line = {"query": "Question 0", "response": "ONE.", "created_at": first.created_at.isoformat()}
    other = line | {"created_at": (START + timedelta(days=1)).isoformat()}
    in_lines = await imported(anna, tmp_path, line, other)
    assert (in_lines.added, in_lines.forgotten) == (1, 1), "said again on another day"

    brought_back = await imported(anna, tmp_path, line, include_forgotten=True)
    assert (brought_back.added, brought_back.forgotten) == (1, 0)
    assert second.id


async def test_a_chosen_id_stands_for_nothing_by_itself(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", "rye bread"), episode("e2", "my dog", day=1))
    await forget(anna, ["e1"], Threads().delete)
    another = {"id": "e1", "query": "my boat", "response": "It is red."}
    assert (await imported(anna, tmp_path, another)).added == 1
    same = {"id": "e1", "query": "rye bread", "response": "answer to rye bread"}
    await forget(anna, ["e1"], Threads().delete)
    assert (await imported(anna, tmp_path, same)).forgotten == 1, "undated, so it is of today"


async def test_no_text_is_kept_and_a_user_who_is_forgotten_leaves_nothing(tmp_path: Path) -> None:
    store = InMemoryStore()
    anna = memory_of("anna", tmp_path, store=store)
    await remember(anna, episode("e1", "rye bread"), episode("e2", "my dog", day=1))
    await forget(anna, ["e1"], Threads().delete)
    known = await Tombstones(anna.store).read()
    assert known.of(episode("e1", "rye bread"))
    assert not known.of(episode("e2", "my dog", day=1))
    assert "rye" not in str(await everything(store))
    await forget_all(anna, [], Threads().delete)
    assert await everything(store) == {}


async def test_two_users_have_different_hashes(tmp_path: Path) -> None:
    store = InMemoryStore()
    for user in ("anna", "ben"):
        memory = memory_of(user, tmp_path, store=store)
        await remember(memory, episode("e1", "rye bread", user_id=user))
        await forget(memory, ["e1"], Threads().delete)
    hashes = [
        set((await Tombstones(memory_of(user, tmp_path, store=store).store).read()).hashes)
        for user in ("anna", "ben")
    ]
    assert hashes[0].isdisjoint(hashes[1])
