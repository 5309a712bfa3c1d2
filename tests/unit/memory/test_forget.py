"""Forgetting: what rested on an episode alone goes with it; where it cannot, nothing goes."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import IndexUnavailable, UnknownEpisode
from personaagent.core.records import Episode, Rule, Statement
from personaagent.memory.facts import named_labels
from personaagent.memory.forget import forget, forget_all
from personaagent.memory.spending import Spent
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, index_in_memory, memory_of, remember
from tests.unit.memory.test_recall import Broken

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

STATEMENTS = [
    Statement(text="The user bakes.", evidence=["e1"]),
    Statement(text="The user likes rye.", evidence=["e1", "e2"]),
    Statement(text="The user has a dog.", evidence=["e2"]),
]
RULES = [
    Rule(id="r1", text="Be brief."),
    Rule(id="r2", text="Speak of bread.", evidence=["e1"], locked=True),
    Rule(id="r3", text="Say rye.", evidence=["e1", "e2"]),
]


async def full_memory(home: Path, store: InMemoryStore, **options: object) -> UserMemory:
    anna = memory_of("anna", home, store=store, index=index_in_memory())
    await remember(
        anna,
        episode("e1", "rye bread", ground_truth="yes", task="bake"),
        episode("e2", "my dog", day=1, ground_truth="no", task="dogs"),
    )
    await anna.profile.write_summary(STATEMENTS, await anna.profile.unsummarised())
    await anna.personas.publish(RULES, author="alignment", note="", parent=1)
    await anna.personas.publish(RULES[:2], author="user", note="", parent=2)
    await anna.conversations.note("thread-1", ["e1"])
    await anna.conversations.note("thread-2", ["e2"])
    await anna.conversations.note("thread-3", ["e9", "e1"])
    await anna.simulations.put("s1", {"answer": "Rye, as ever."})
    await anna.simulations.put("s2", {"answer": "A dog."})
    await anna.profile.read()
    return anna


class Threads:
    """Where conversations are kept."""

    def __init__(self) -> None:
        self.deleted: set[str] = set()

    async def delete(self, threads: Collection[str]) -> None:
        self.deleted |= set(threads)


async def everything(store: InMemoryStore) -> dict[str, dict[str, object]]:
    """All that the store holds, but for marks that change with every write."""
    return {
        f"{item.namespace}/{item.key}": item.value for item in await store.asearch((), limit=1000)
    }


async def test_what_rests_on_a_forgotten_episode_alone_is_deleted(tmp_path: Path) -> None:
    store, threads = InMemoryStore(), Threads()
    anna = await full_memory(tmp_path, store)
    receipt = await forget(anna, ["e1"], threads.delete)

    assert receipt.episodes == ["e1"]
    assert receipt.embeddings == 1
    assert [each.text for each in receipt.statements] == [STATEMENTS[0].text]
    assert receipt.rules == RULES[1:2]
    assert receipt.threads == ["thread-1", "thread-3"]
    assert receipt.simulations == 2, "any of them may have recalled it"
    assert await anna.simulations.get(["s1", "s2"]) == [None, None]
    assert threads.deleted == {"thread-1", "thread-3"}
    assert await anna.conversations.threads_with(["e1", "e2"], []) == {"thread-2"}

    profile = await anna.profile.read()
    assert [(each.text, each.evidence) for each in profile.summary] == [
        ("The user likes rye.", ["e2"]),
        ("The user has a dog.", ["e2"]),
    ]
    assert [each.task for each in profile.facts] == ["dogs"]
    assert [each.id for each in (await anna.recall("rye bread", 5)).episodes] == ["e2"]
    with pytest.raises(UnknownEpisode):
        await anna.episodes.get("e1")
    left = str(await everything(store))
    assert "Speak of bread" not in left, "old versions too"
    assert "rye bread" not in left
    assert "'e1'" not in left, "not even as evidence or a mark"


async def test_a_note_replaces_the_one_with_the_same_key(tmp_path: Path) -> None:
    conversations = memory_of("anna", tmp_path).conversations
    await conversations.note("alignment", ["e1", "e2"], key="run-1")
    await conversations.note("alignment", ["e2", "e3"], key="run-1")
    await conversations.note("another", ["e4"], key="run-1")
    assert await conversations.threads_with(["e1"], []) == set()
    assert await conversations.threads_with(["e3"], []) == {"alignment"}
    assert await conversations.threads_with(["e2", "e4"], []) == {"alignment", "another"}


async def test_a_conversation_is_deleted_with_the_last_label_that_its_facts_named(
    tmp_path: Path,
) -> None:
    anna = memory_of("anna", tmp_path)
    labels = {"e1": "rye", "e2": "rye", "e3": "oats", "e4": "oats"}
    marks = {"e5": "7.50", "e6": "7.5", "e7": "8", "e8": "9"}
    await remember(
        anna,
        *[episode(id, id, ground_truth=text, task="bread") for id, text in labels.items()],
        *[episode(id, id, ground_truth=text, task="mark") for id, text in marks.items()],
        episode("e9", "e9", ground_truth="tea", task="tea"),
    )
    facts = {each.task: [each] for each in (await anna.profile.read()).facts}
    for task, told in facts.items():
        await anna.conversations.note(f"thread-{task}", named=named_labels(told))

    async def gone(*ids: str) -> list[str]:
        return (await forget(anna, ids, Threads().delete)).threads

    assert await gone("e1", "e5") == [], "another says so too"
    assert await gone("e6") == ["thread-mark"], "it was the lowest"
    await anna.episodes.give_feedback("e3", "edit", "rye")
    assert await gone("e2") == []
    await anna.episodes.give_feedback("e3", "reject", force=True)
    assert await gone("e3") == ["thread-bread"], "what it said once is gone"
    assert await gone("e9") == ["thread-tea"]


async def test_a_persona_that_loses_a_rule_says_so(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    await forget(anna, ["e1"], Threads().delete)
    history = await anna.personas.history()
    assert [[rule.id for rule in each.rules] for each in history] == [
        ["r1", "r2", "r3"],  # the template's own
        ["r1", "r3"],
        ["r1"],
        ["r1"],
    ]
    assert "rule with the episodes" in history[3].note
    assert history[1].rules[1].evidence == ["e2"]


async def test_all_evidence_can_be_forgotten_at_once(tmp_path: Path) -> None:
    anna = await full_memory(tmp_path, InMemoryStore())
    receipt = await forget(anna, ["e2", "e1", "e1"], Threads().delete)
    assert receipt.episodes == ["e1", "e2"]
    assert [each.text for each in receipt.statements] == [each.text for each in STATEMENTS]
    assert [rule.id for rule in receipt.rules] == ["r2", "r3"]
    assert (await anna.recall("rye", 5)).episodes == []
    await remember(anna, episode("e3", "rye again"))
    assert [each.id for each in (await anna.recall("rye", 5)).episodes] == ["e3"]


async def test_what_an_alignment_writes_meanwhile_is_deleted_too(tmp_path: Path) -> None:
    store = InMemoryStore()
    anna = await full_memory(tmp_path, store)
    late = Rule(id="r9", text="Speak of bread, always.", evidence=["e1"])
    delete, parent = anna.episodes.delete, (await anna.personas.current()).version

    async def published_first(ids: Collection[str], **options: Any) -> None:
        current = await anna.personas.current()
        await anna.personas.publish(
            [*current.rules, late], author="alignment", note="", parent=current.version
        )
        await anna.simulations.put("s3", {"answer": "Bread!"}, sources=["e1"])
        await delete(ids, **options)

    anna.episodes.delete = published_first  # type: ignore[method-assign]
    receipt = await forget(anna, ["e1"], Threads().delete)
    await anna.simulations.put("s4", {"answer": "Bread!"}, sources=["e2", "e1"])
    await anna.simulations.put("s5", {"answer": "A dog."}, sources=["e2"])
    assert receipt.rules == [RULES[1], late], "each once"
    assert receipt.simulations == 3
    assert (await anna.personas.current()).version > parent
    left = str(await everything(store))
    assert "bread" not in left.lower()
    assert "'e1'" not in left
    assert "'yes'" not in left, "nor in what facts were read from"
    assert "A dog." in left


async def test_a_label_that_is_counted_while_it_is_forgotten_is_not_cached(tmp_path: Path) -> None:
    store = InMemoryStore()
    anna = await full_memory(tmp_path, store)
    await anna.episodes.give_feedback("e2", "edit", "never")  # so that they are counted anew
    scan = anna.episodes.scan

    async def then_forget(**only: bool) -> AsyncIterator[Episode]:
        async for one in scan(**only):
            yield one
        anna.episodes.scan = scan  # type: ignore[method-assign]
        await forget(anna, ["e1"], Threads().delete)

    anna.episodes.scan = then_forget  # type: ignore[method-assign]
    await anna.profile.read()
    assert "'yes'" not in str(await everything(store))
    assert [each.task for each in (await anna.profile.read()).facts] == ["dogs"]


async def test_with_an_unknown_episode_nothing_is_forgotten(tmp_path: Path) -> None:
    store, threads = InMemoryStore(), Threads()
    anna = await full_memory(tmp_path, store)
    before = await everything(store)
    with pytest.raises(UnknownEpisode, match="'e77'"):
        await forget(anna, ["e1", "e77"], threads.delete)
    assert await everything(store) == before
    assert threads.deleted == set()
    assert len((await anna.recall("rye bread", 5)).episodes) == 2


async def test_without_the_index_nothing_is_forgotten(tmp_path: Path) -> None:
    store, threads = InMemoryStore(), Threads()
    await full_memory(tmp_path, store)
    before = await everything(store)
    broken = memory_of("anna", tmp_path, store=store, index=Broken())  # type: ignore[arg-type]
    with pytest.raises(IndexUnavailable, match="on holiday"):
        await forget(broken, ["e1"], threads.delete)
    with pytest.raises(IndexUnavailable, match="on holiday"):
        await forget_all(broken, ["thread-1"], threads.delete)
    assert await everything(store) == before
    assert threads.deleted == set()


async def test_forgetting_everything_leaves_other_users_alone(tmp_path: Path) -> None:
    store, threads, index = InMemoryStore(), Threads(), index_in_memory()
    ben = memory_of("ben", tmp_path, store=store, index=index)
    await remember(ben, episode("e1", "rye bread", user_id="ben"))
    of_ben = await everything(store)
    anna = memory_of("anna", tmp_path, store=store, index=index)
    await remember(anna, episode("e1", "rye bread"), episode("e2", "my dog"))
    await anna.personas.begin()
    await anna.simulations.put("s1", {"answer": "Rye."})
    await anna.spending.book("run", Spent(calls=3))
    receipt = await forget_all(anna, ["thread-1"], threads.delete)
    assert (sorted(receipt.episodes), receipt.embeddings) == (["e1", "e2"], 2)
    assert receipt.simulations == 1
    assert threads.deleted == {"thread-1"}
    left = await everything(store)
    assert left.pop(f"('spending', 'alignment')/{anna.store.key}")["runs"]  # type: ignore[index]
    assert (await anna.spending.today()).calls == 3, "forgetting does not refill the day"
    assert left == of_ben
    assert not await anna.exists()
    assert [each.id for each in (await ben.recall("rye bread", 5)).episodes] == ["e1"]
