"""What alignment has cost a user today."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from personaagent.core.records import Record, now
from personaagent.memory.space import Space


class Spent(Record):
    """Model calls, tokens (input and output), seconds, and their price."""

    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    price: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            seconds=self.seconds + other.seconds,
            price=self.price + other.price,
        )


@dataclass(frozen=True)
class Spending:
    """What was spent on one user on the present day (UTC); nothing older is kept.

    Each amount is an entry of its own, so that two processes which add at once lose none.
    """

    space: Space
    clock: Callable[[], datetime] = now

    async def today(self) -> Spent:
        """What was spent today, in all."""
        entries = [entry async for _, entry in self.space.each("spending", day=self._day())]
        return sum((Spent.model_validate(entry["spent"]) for entry in entries), Spent())

    async def add(self, spent: Spent) -> None:
        """Add to today's."""
        day = self._day()
        past = [key async for key, entry in self.space.each("spending") if entry["day"] != day]
        entry = {"day": day, "spent": spent.stored()}
        await self.space.write([("spending", uuid4().hex, entry)])
        await self.space.write_many(("spending", key, None) for key in past)

    def _day(self) -> str:
        return f"{self.clock():%Y-%m-%d}"
