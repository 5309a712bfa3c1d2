"""What alignment has cost a user today."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from personaagent.core.records import Record, now
from personaagent.memory.user_store import UserStore


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
    """What each run has spent on one user; a run counts for the day (UTC) on which it last spent.

    Each run has an entry of its own, which says all that it has spent so far: what is booked
    twice counts once, and two processes that book at once lose nothing.
    """

    space: UserStore
    clock: Callable[[], datetime] = now

    async def of(self, run: str) -> Spent:
        """What this run has spent so far."""
        [entry] = await self.space.get("spending", run)
        return Spent() if entry is None else Spent.model_validate(entry["spent"])

    async def today(self, *, besides: str = "") -> Spent:
        """What all runs of this day have spent, ``besides`` one."""
        today = self.space.each("spending", day=self._day())
        entries = [entry["spent"] async for run, entry in today if run != besides]
        return sum(map(Spent.model_validate, entries), Spent())

    async def book(self, run: str, spent: Spent) -> None:
        """Set what the run has spent so far."""
        await self.space.put("spending", run, {"day": self._day(), "spent": spent.stored()})

    async def drop_past(self) -> None:
        """Drop the entries of earlier days."""
        past = [run async for run, e in self.space.each("spending") if e["day"] != self._day()]
        await self.space.write_many(("spending", run, None) for run in past)

    def _day(self) -> str:
        return f"{self.clock():%Y-%m-%d}"
