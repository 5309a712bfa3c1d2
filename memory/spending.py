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
    """What each run has spent on one user. A run counts for the day (UTC) on which it last spent.

    Each run has one entry with all that it has spent so far: booking it twice counts once, and two
    processes that book at the same time lose nothing.
    """

    store: UserStore
    clock: Callable[[], datetime] = now

    async def of(self, run: str) -> Spent:
        """What this run has spent so far."""
        [entry] = await self.store.get("spending", run)
        return Spent() if entry is None else Spent.model_validate(entry["spent"])

    async def today(self, *, besides: str = "") -> Spent:
        """What all runs of this day have spent, except the run ``besides``."""
        entries = self.store.scan("spending", day=self._day())
        amounts = [entry["spent"] async for run, entry in entries if run != besides]
        return sum(map(Spent.model_validate, amounts), Spent())

    async def book(self, run: str, spent: Spent) -> None:
        """Set what the run has spent so far."""
        await self.store.put("spending", run, {"day": self._day(), "spent": spent.stored()})

    async def delete_past(self) -> None:
        """Delete the entries of earlier days."""
        today = self._day()
        past = [run async for run, e in self.store.scan("spending") if e["day"] != today]
        await self.store.write_in_batches(("spending", run, None) for run in past)

    def _day(self) -> str:
        return f"{self.clock():%Y-%m-%d}"
