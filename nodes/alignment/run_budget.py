"""What a run of alignment may spend: calls, tokens, seconds, price; of its own and of the day."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from personaagent.core.alignment_state import LIMITS, Limit, Plan
from personaagent.core.records import Usage
from personaagent.core.settings import Settings
from personaagent.memory.spending import Spending, Spent


@dataclass
class Budget:
    """The limits of a run, and what was used so far. A limit of 0 is none.

    What is used is booked at once. ``model_slots`` is for the run's simulations, each until it is kept.
    """

    plan: Plan
    settings: Settings
    spending: Spending
    before: Spent
    """What the run had used when this process took it up."""
    others: Spent
    """What the user's other runs of this day have used."""
    used: Usage = field(default_factory=Usage)
    """What the run has used since then."""
    since: float = field(default_factory=monotonic)
    model_slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.model_slots = asyncio.Semaphore(self.settings.simulations_at_once)

    @classmethod
    async def of(
        cls, plan: Plan, settings: Settings, spending: Spending, finished: Usage | None = None
    ) -> "Budget":
        """The budget of a run, of which the ``finished`` steps have used so much at least."""
        booked, others = await asyncio.gather(
            spending.of(plan.run), spending.today(besides=plan.run)
        )
        known = _spent(finished or Usage(), 0.0, settings)
        before = booked if booked.calls >= known.calls else known
        return cls(plan.clamped_to(settings), settings, spending, before, others)

    async def spend(self, usage: Usage) -> None:
        """Count ``usage`` in, and book it."""
        if usage.by_role:
            self.count(usage)
            await self.book()

    def count(self, usage: Usage) -> None:
        """Count ``usage`` in; it is yet to be booked."""
        self.used += usage

    async def book(self) -> None:
        """Book what the run has spent, so that it counts whatever becomes of the run."""
        await self.spending.book(self.plan.run, self.spent())

    def refresh(self, other: "Budget") -> None:
        """Take over what ``other`` knows to be used, where it knows of more."""
        self.others = other.others
        if other.spent().calls > self.spent().calls:
            self.before, self.used, self.since = other.before, other.used, other.since

    def spent(self) -> Spent:
        """What the run has used up to now; of seconds, those since a process took it up."""
        return self.before + _spent(self.used, monotonic() - self.since, self.settings)

    def exhausted(self) -> Limit | None:
        """The first limit that is reached, of the run or of the user's day."""
        spent = self.spent()
        for limit in LIMITS:
            used = getattr(spent, limit)
            of_run: float = getattr(self.plan, limit)
            of_day: float = getattr(self.settings, f"align_daily_{limit}")
            if 0 < of_run <= used or 0 < of_day <= used + getattr(self.others, limit):
                return limit
        return None

    def refusal(self) -> str:
        """Why no further call may be made, in one sentence; empty where one may."""
        limit = self.exhausted()
        return f"The run's limit of {limit} was reached before this." if limit else ""


def _spent(usage: Usage, seconds: float, settings: Settings) -> Spent:
    total = usage.summed()
    read, written = total["input_tokens"], total["output_tokens"]
    price = (read * settings.price_input + written * settings.price_output) / 1e6
    return Spent(calls=total["llm_calls"], tokens=read + written, seconds=seconds, price=price)
