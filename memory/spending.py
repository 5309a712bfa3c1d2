"""What a user has cost today: alignment by run, and everything else together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from langgraph.store.base import BaseStore, PutOp

from personaagent.core.records import Record, now
from personaagent.memory.costs import Costs
from personaagent.memory.shared_value import Value, change_value
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.user_store import UserStore

Account = Literal["alignment", "turns", "imports"]
REQUESTS = "requests"
"""Beside the accounts: what is left of the requests that a user may make in a minute."""
ACCOUNTS = (*get_args(Account), REQUESTS)
KEPT_DAYS = 2
"""A run may go on beyond midnight: so its entry stays for a day more."""


class Spent(Record):
    """Model calls, tokens (input and output), seconds, their price, and bytes that were uploaded."""

    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    price: float = 0.0
    bytes: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return self._with(other, 1)

    def __sub__(self, other: "Spent") -> "Spent":
        return self._with(other, -1)

    def _with(self, other: "Spent", sign: int) -> "Spent":
        return Spent(
            calls=self.calls + sign * other.calls,
            tokens=self.tokens + sign * other.tokens,
            seconds=self.seconds + sign * other.seconds,
            price=self.price + sign * other.price,
            bytes=self.bytes + sign * other.bytes,
        )

    def reached(self, limits: Mapping[str, float], asks: "Spent | None" = None) -> str | None:
        """The first of ``limits`` that this reaches, or that leaves fewer calls than ``asks`` wants.

        A limit of 0 means no limit.
        """
        calls = asks.calls if asks else 0
        for name, most in limits.items():
            spent = getattr(self, name)
            if most > 0 and (spent >= most or (name == "calls" and spent + calls > most)):
                return name
        return None


@dataclass(frozen=True)
class Spending:
    """What each run has spent on one user. A run counts for the day (UTC) on which it last spent.

    Each run has one entry with all that it has spent so far: booking it twice counts once. All
    changes are made in one step, whatever process makes them.

    The entries lie beside the user's memory, not in it, so that forgetting does not refill the day.
    They hold numbers, and the user's key; ``delete_old_accounts`` removes those of past days.
    """

    store: UserStore
    clock: Callable[[], datetime] = now
    account: Account = "alignment"
    costs: Costs | None = None
    """Where what is spent stands beyond the day."""

    async def of(self, run: str) -> Spent:
        """What this run has spent so far."""
        return (await self.of_and_besides(run))[0]

    async def of_and_besides(self, run: str) -> tuple[Spent, Spent]:
        """What this run has spent so far, and what all others of this day have."""
        entries = await self._entries()
        spent = Spent.model_validate(entries[run]["spent"]) if run in entries else Spent()
        return spent, _sum(entries, self._day(), run)

    async def today(self, *, besides: str = "") -> Spent:
        """What all runs of this day have spent, except the run ``besides``."""
        return _sum(await self._entries(), self._day(), besides)

    async def book(
        self, run: str, spent: Spent, *, asks: Spent | None = None, most: Mapping[str, float] = {}
    ) -> str | None:
        """Set what the run has spent so far.

        Args:
            run: which run.
            spent: all of it, with what it ``asks`` for.
            asks: what it has not spent yet.
            most: the limits of the day; if what is spent without ``asks`` reaches one, nothing is
                written.

        Returns:
            The limit that was reached, if any.
        """
        return await self._write(run, lambda _: spent, asks or Spent(), most)

    async def add(self, run: str, amount: Spent, *, most: Mapping[str, float] = {}) -> str | None:
        """Add ``amount`` to what the entry of ``run`` has spent today, unless the day has reached one
        of its limits.

        Returns:
            The limit that was reached, if any.
        """
        return await self._write(run, lambda of_today: of_today + amount, amount, most)

    async def delete_past(self) -> None:
        """Delete the entries of earlier days, and take over what an earlier version wrote today."""
        earlier, today = await self._earlier(), self._day()

        def without_past(value: Value | None) -> tuple[Value | None, None]:
            entries = {**earlier, **({} if value is None else value["runs"])}
            kept = {run: entry for run, entry in entries.items() if entry["day"] == today}
            if value is None and not kept:
                return None, None
            day = self.clock().toordinal() if value is None else value["day"]
            return {"day": day, "runs": kept}, None

        await change_value(self.store.base_store, self._path(), self.store.key, without_past)
        if earlier:
            await self.store.delete_namespace("spending")

    async def _write(
        self,
        run: str,
        total: Callable[[Spent], Spent],
        asks: Spent,
        most: Mapping[str, float],
    ) -> str | None:
        earlier, today = await self._earlier(), self._day()

        def written(value: Value | None) -> tuple[Value | None, str | None]:
            entries = {**earlier, **({} if value is None else value["runs"])}
            spent = total(_sum({run: entries[run]}, today) if run in entries else Spent())
            if limit := (_sum(entries, today, run) + spent - asks).reached(most, asks):
                return None, limit
            entries[run] = {"day": today, "spent": spent.stored()}
            return {"day": self.clock().toordinal(), "runs": self._recent(entries)}, None

        return await change_value(self.store.base_store, self._path(), self.store.key, written)

    def _recent(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        oldest = f"{self.clock() - timedelta(days=KEPT_DAYS - 1):%Y-%m-%d}"
        return {run: entry for run, entry in entries.items() if entry["day"] >= oldest}

    async def _entries(self) -> dict[str, Any]:
        with storage_errors():
            item = await self.store.base_store.aget(self._path(), self.store.key)
        return {**await self._earlier(), **({} if item is None else item.value["runs"])}

    async def _earlier(self) -> dict[str, Any]:
        """The entries that an earlier version wrote into the user's memory."""
        if self.account != "alignment":
            return {}
        return {run: entry async for run, entry in self.store.scan("spending")}

    def _path(self) -> tuple[str, str]:
        return ("spending", self.account)

    def _day(self) -> str:
        return f"{self.clock():%Y-%m-%d}"


async def delete_old_accounts(store: BaseStore, at: datetime | None = None) -> None:
    """Delete the accounts of all users that nothing was booked on today or yesterday."""
    oldest = (at or now()).toordinal() - KEPT_DAYS + 1
    for account in ACCOUNTS:
        path = ("spending", account)
        with storage_errors():
            while old := await store.asearch(path, filter={"day": {"$lt": oldest}}, limit=1000):
                await store.abatch([PutOp(path, item.key, None) for item in old])


async def delete_accounts(store: UserStore) -> None:
    """Delete all accounts of this user, today's too: where they may spend what they like."""
    with storage_errors():
        for account in ACCOUNTS:
            await store.base_store.adelete(("spending", account), store.key)


def _sum(entries: Mapping[str, Any], day: str, besides: str = "") -> Spent:
    amounts = [e["spent"] for run, e in entries.items() if e["day"] == day and run != besides]
    return sum(map(Spent.model_validate, amounts), Spent())
