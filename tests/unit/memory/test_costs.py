"""What model calls take: noted at once, written a moment later, never for somebody who was forgotten."""

from datetime import UTC, date, datetime

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.records import RoleUsage
from personaagent.memory import costs as costs_module
from personaagent.memory.costs import CostBook, Costs, Purpose
from personaagent.memory.user_store import UserStore
from tests.support.kills import until

CALL = RoleUsage(llm_calls=1, input_tokens=100, output_tokens=10)


class Process:
    """A process that notes calls on a day of November."""

    def __init__(self, store: InMemoryStore) -> None:
        self.store, self.book, self.day = store, CostBook(), 1

    def costs(self, user: str = "anna") -> Costs:
        clock = lambda: datetime(2026, 11, self.day, 12, tzinfo=UTC)  # noqa: E731
        return Costs(UserStore(self.store, user), self.book, clock)

    async def note(self, purpose: Purpose = "answers", times: int = 1, user: str = "anna") -> Costs:
        noted = self.costs(user)
        await noted.store.begin()
        for _ in range(times):
            noted.note(purpose, CALL)
        return noted


def records(store: InMemoryStore) -> list[str]:
    return [
        item.key for item in store.search(("users",), limit=100) if item.namespace[2] == "costs"
    ]


async def test_each_day_has_its_calls_by_purpose() -> None:
    there = Process(InMemoryStore())
    await there.note("answers", 2)
    await there.note("learning")
    there.day = 2
    await there.note("answers")
    first, second = await there.costs().by_day()
    assert (first.day, second.day) == (date(2026, 11, 1), date(2026, 11, 2))
    assert first.by_purpose == {"answers": CALL + CALL, "learning": CALL}
    assert second.by_purpose == {"answers": CALL}
    assert await there.costs("ben").by_day() == []


async def test_a_process_has_one_record_a_day_and_writers_do_not_need_to_agree() -> None:
    store = InMemoryStore()
    one, other = Process(store), Process(store)
    for _ in range(3):
        await one.note()
        await other.note()
        await one.book.write(store)
        await other.book.write(store)
    assert len(records(store)) == 2
    [day] = await one.costs().by_day()
    assert day.by_purpose["answers"].llm_calls == 6


async def test_old_records_are_merged_when_they_are_read() -> None:
    store = InMemoryStore()
    for _ in range(5):
        process = Process(store)
        await process.note()
        await process.book.aclose()
    reader = Process(store)
    reader.day = 2
    [before] = await reader.costs().by_day()
    assert len(records(store)) == 5, "somebody may still write to yesterday's"
    reader.day = 3
    assert [before] == await reader.costs().by_day() == await reader.costs().by_day()
    assert len(records(store)) == 1


async def test_nobody_waits_and_what_was_noted_is_written_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(costs_module, "WRITE_AFTER", 0.01)
    there = Process(InMemoryStore())
    await there.note(times=2)
    assert records(there.store) == []
    await until(lambda: len(records(there.store)) == 1)
    await there.note()
    await until(lambda: _calls(there.store) == 3)


async def test_closing_writes_what_waits() -> None:
    there = Process(InMemoryStore())
    await there.note()
    await there.book.aclose()
    assert _calls(there.store) == 1


async def test_what_a_forgotten_user_was_about_to_write_is_not_written() -> None:
    there = Process(InMemoryStore())
    noted = await there.note()
    await there.costs().store.delete_all()
    await there.book.write(there.store)
    assert records(there.store) == []
    noted.note("answers", CALL)  # a run that began before
    await there.book.write(there.store)
    assert records(there.store) == []
    await there.note()
    await there.book.write(there.store)
    assert _calls(there.store) == 1


async def test_calls_without_a_generation_do_not_come_back_after_forgetting() -> None:
    there = Process(InMemoryStore())
    there.costs().note("answers", CALL)
    await there.book.write(there.store)
    assert _calls(there.store) == 1
    await there.costs().store.delete_all()
    there.costs().note("answers", CALL)
    await there.book.write(there.store)
    assert _calls(there.store) == 1


def _calls(store: InMemoryStore) -> int:
    found = [store.get(each.namespace, each.key) for each in store.search(("users",), limit=100)]
    return sum(
        each.value["by_purpose"]["answers"]["llm_calls"]
        for each in found
        if each is not None and each.namespace[2] == "costs"
    )
