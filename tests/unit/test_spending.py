"""What alignment spends on a user in a day."""

import asyncio
from datetime import UTC, datetime

from langgraph.store.memory import InMemoryStore

from personaagent.memory.space import Space
from personaagent.memory.spending import Spending, Spent


async def test_a_day_is_added_up_and_the_next_begins_anew() -> None:
    space = Space(InMemoryStore(), "anna")
    monday = Spending(space, lambda: datetime(2026, 1, 5, 23, 59, tzinfo=UTC))
    tuesday = Spending(space, lambda: datetime(2026, 1, 6, 0, 1, tzinfo=UTC))
    assert await monday.today() == Spent()
    await asyncio.gather(
        monday.add(Spent(calls=2, tokens=100, seconds=1.5, price=0.25)),
        Spending(space, monday.clock).add(Spent(calls=1, tokens=10)),
    )
    assert await monday.today() == Spent(calls=3, tokens=110, seconds=1.5, price=0.25)
    assert await tuesday.today() == Spent()
    await tuesday.add(Spent(calls=5))
    assert await tuesday.today() == Spent(calls=5)
    assert await monday.today() == Spent(), "nothing of the day before is kept"
    assert await Spending(Space(InMemoryStore(), "ben"), tuesday.clock).today() == Spent()
