"""What alignment spends on a user in a day."""

import asyncio
from datetime import UTC, datetime, timedelta

from langgraph.store.memory import InMemoryStore

from personaagent.core.users import user_key
from personaagent.memory.spending import Spending, Spent, delete_old_accounts
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


async def test_adding_begins_anew_each_day_and_stops_at_the_limit() -> None:
    store = UserStore(InMemoryStore(), "anna")
    monday = Spending(store, lambda: datetime(2026, 1, 5, tzinfo=UTC), "turns")
    tuesday = Spending(store, lambda: datetime(2026, 1, 6, tzinfo=UTC), "turns")
    for expected in (None, None, "tokens"):
        assert await monday.add("all", Spent(tokens=60), most={"tokens": 100}) == expected
    assert await tuesday.add("all", Spent(tokens=60), most={"tokens": 100}) is None
    assert await tuesday.today() == Spent(tokens=60)
    assert await Spending(store, tuesday.clock).today() == Spent(), "alignment has its own account"


async def test_accounts_of_past_days_are_deleted_for_everybody() -> None:
    store, day = InMemoryStore(), datetime(2026, 1, 5, tzinfo=UTC)
    for user, days in (("anna", 0), ("ben", 1), ("cleo", 2)):
        at = day + timedelta(days=days)
        await Spending(UserStore(store, user), lambda at=at: at).add("run", Spent(calls=1))  # type: ignore[misc]
    await delete_old_accounts(store, day + timedelta(days=2))
    left = {item.key for item in store.search(("spending",))}
    assert left == {user_key("ben"), user_key("cleo")}


async def test_what_an_earlier_version_booked_today_still_counts() -> None:
    store = UserStore(InMemoryStore(), "anna")
    spending = Spending(store, lambda: datetime(2026, 1, 5, tzinfo=UTC))
    before = {"day": "2026-01-05", "spent": {"calls": 9, "tokens": 900}}
    await store.put("spending", "run", before)
    assert await spending.of("run") == Spent(calls=9, tokens=900)
    assert await spending.add("another", Spent(calls=1), most={"calls": 9}) == "calls"
    await spending.delete_past()
    assert await store.keys("spending", 9) == []
    assert await spending.add("another", Spent(calls=1), most={"calls": 9}) == "calls"
    await spending.book("run", Spent(calls=10, tokens=950))
    assert (await spending.today()).calls == 10
