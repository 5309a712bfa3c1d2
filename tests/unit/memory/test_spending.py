"""What alignment spends on a user in a day."""

import asyncio
from datetime import UTC, datetime

from langgraph.store.memory import InMemoryStore

from personaagent.memory.spending import Spending, Spent
from personaagent.memory.user_store import UserStore


async def test_spending_is_summed_by_day() -> None:
    store = UserStore(InMemoryStore(), "anna")
    monday = Spending(store, lambda: datetime(2026, 1, 5, 23, 59, tzinfo=UTC))
    tuesday = Spending(store, lambda: datetime(2026, 1, 6, 0, 1, tzinfo=UTC))
    assert await monday.today() == Spent()
    first, second = Spent(calls=2, tokens=100, seconds=1.5, price=0.25), Spent(calls=1, tokens=10)
    await asyncio.gather(
        monday.book("one", first), Spending(store, monday.clock).book("two", second)
    )
    assert await monday.today() == Spent(calls=3, tokens=110, seconds=1.5, price=0.25)
    assert await monday.today(besides="one") == second
    assert await tuesday.today() == Spent()
    assert await tuesday.of("one") == first, "a run may go on beyond midnight"
    await tuesday.book("two", Spent(calls=5))
    assert await tuesday.today() == Spent(calls=5)
    await tuesday.delete_past()
    assert await monday.today() == Spent(), "nothing of the day before is kept"
    assert await tuesday.of("two") == Spent(calls=5)
    assert await Spending(UserStore(InMemoryStore(), "ben"), tuesday.clock).today() == Spent()


async def test_what_is_booked_twice_counts_once() -> None:
    spending = Spending(UserStore(InMemoryStore(), "anna"))
    for calls in (2, 5, 5):
        await spending.book("run", Spent(calls=calls))
    assert await spending.today() == await spending.of("run") == Spent(calls=5)
