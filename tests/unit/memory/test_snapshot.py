"""What was read in one trip answers what was wanted, and nothing else."""

from pathlib import Path

import pytest
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from personaagent.memory.data_folder import open_store
from personaagent.memory.generation import Outdated
from personaagent.memory.snapshot import Snapshot, Wanted
from personaagent.memory.user_store import UserStore

FACTS, LABELS = ("profile", "facts"), ("profile", "labels")
SNAPSHOT = Snapshot(
    Wanted({FACTS, LABELS}, {"news": 2, "discarded": 2}),
    {FACTS: {"n": 1}},
    {"news": [("a", {}), ("b", {})], "discarded": [("c", {})]},
)


def test_it_knows_what_stands_nowhere_but_not_what_was_not_wanted() -> None:
    assert SNAPSHOT.get("profile", ["facts", "labels"]) == [{"n": 1}, None]
    assert SNAPSHOT.get("profile", ["facts", "summary"]) is None


def test_a_page_that_is_full_may_have_more_behind_it() -> None:
    assert SNAPSHOT.whole("discarded") == [("c", {})]
    assert SNAPSHOT.whole("news") is None
    assert SNAPSHOT.whole("unindexed") is None
    assert SNAPSHOT.keys("news", 2) == ["a", "b"]
    assert SNAPSHOT.keys("news", 3) is None
    assert SNAPSHOT.keys("discarded", 5) == ["c"]


def test_it_covers_what_was_wanted_and_no_more() -> None:
    assert SNAPSHOT.covers(Wanted({FACTS}, {"news": 1}))
    assert not SNAPSHOT.covers(Wanted({FACTS}, {"news": 3}))
    assert not SNAPSHOT.covers(Wanted({("profile", "summary")}))


async def _a_write_ends_what_is_at_hand(store: BaseStore) -> None:
    anna, other = UserStore(store, "anna"), UserStore(store, "anna")
    await anna.put("profile", "facts", {"n": 1})
    await anna.prefetch(Wanted({FACTS}, {"news": 5}))
    await other.write([("profile", "facts", {"n": 2}), ("news", "a", {"text": "new"})])
    assert await anna.get("profile", "facts") == [{"n": 1}], "as it was read"
    assert await anna.keys("news", 1) == []
    await anna.put("profile", "labels", {})
    assert await anna.get("profile", "facts") == [{"n": 2}]
    assert await anna.keys("news", 1) == ["a"]


async def _only_what_was_read_is_written_over(store: BaseStore) -> None:
    anna, other = UserStore(store, "anna"), UserStore(store, "anna")
    await anna.put("profile", "facts", {"n": 1})
    await anna.prefetch(Wanted({FACTS, LABELS}))
    assert anna.at_hand is not None
    expects = anna.at_hand.expected([FACTS, LABELS])
    await other.put("profile", "labels", {"revision": "r"})
    with pytest.raises(Outdated):
        await anna.write([("profile", "facts", {"n": 2})], expects=expects)
    assert await other.get("profile", "facts") == [{"n": 1}]
    await anna.prefetch(Wanted({FACTS, LABELS}))
    expects = anna.at_hand.expected([FACTS, LABELS])
    await anna.write([("profile", "facts", {"n": 2})], expects=expects)
    assert await other.get("profile", "facts") == [{"n": 2}]


@pytest.mark.parametrize(
    "check", [_a_write_ends_what_is_at_hand, _only_what_was_read_is_written_over]
)
async def test_it_is_so_in_memory_and_in_sqlite(check: object, tmp_path: Path) -> None:
    assert callable(check)
    await check(InMemoryStore())
    async with open_store(tmp_path) as store:
        await check(store)
