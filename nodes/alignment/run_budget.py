"""What a run of alignment may spend: calls, tokens, seconds and price, in the run and in the day."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from cachetools import LRUCache

from personaagent.core.alignment_state import LIMITS, AlignmentPlan, Limit
from personaagent.core.records import Usage
from personaagent.core.settings import Settings
from personaagent.memory.spending import Spending, Spent

RUNS_REMEMBERED = 1024


@dataclass
class RunBudget:
    """The limits of a run, and what it has spent. A limit of 0 means no limit.

    Spending is booked at once. ``answer_slots`` limits the simulations of the run that go on at
    the same time; an answer holds its slot until it is stored.
    """

    plan: AlignmentPlan
    settings: Settings
    spending: Spending
    spent_before: Spent
    """What the run had spent when this process took it up."""
    spent_by_others: Spent
    """What the user's other runs of this day have spent."""
    used: Usage = field(default_factory=Usage)
    """What the run has used in this process."""
    started: float = field(default_factory=monotonic)
    """When this process took the run up (``time.monotonic``)."""
    answer_slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.answer_slots = asyncio.Semaphore(self.settings.simulations_at_once)

    @classmethod
    async def load(
        cls, plan: AlignmentPlan, settings: Settings, spending: Spending, used: Usage | None = None
    ) -> "RunBudget":
        """Read the budget of a run, whose finished steps have ``used`` at least so much."""
        booked, others = await asyncio.gather(
            spending.of(plan.run), spending.today(besides=plan.run)
        )
        finished = _spent(used or Usage(), 0.0, settings)
        before = booked if booked.calls >= finished.calls else finished
        return cls(plan.clamped_to(settings), settings, spending, before, others)

    async def spend(self, usage: Usage) -> None:
        """Add ``usage``, and book it."""
        if usage.by_role:
            self.count(usage)
            await self.book()

    def count(self, usage: Usage) -> None:
        """Add ``usage`` without booking it yet."""
        self.used += usage

    async def book(self) -> None:
        """Store what the run has spent, so that it counts whatever becomes of the run."""
        await self.spending.book(self.plan.run, self.spent())

    def refresh(self, latest: "RunBudget") -> None:
        """Take over what ``latest`` has read: the other runs, and this one if it has spent more."""
        self.spent_by_others = latest.spent_by_others
        if latest.spent().calls > self.spent().calls:
            self.spent_before, self.used = latest.spent_before, latest.used
            self.started = latest.started

    def spent(self) -> Spent:
        """What the run has spent up to now; its seconds count while a process works on it."""
        return self.spent_before + _spent(self.used, monotonic() - self.started, self.settings)

    def exhausted(self) -> Limit | None:
        """The first limit that is reached, of the run or of the user's day."""
        spent = self.spent()
        for limit in LIMITS:
            used = getattr(spent, limit)
            of_run: float = getattr(self.plan, limit)
            of_day: float = getattr(self.settings, f"align_daily_{limit}")
            if 0 < of_run <= used or 0 < of_day <= used + getattr(self.spent_by_others, limit):
                return limit
        return None

    def refusal(self) -> str:
        """Why no further call may be made, in one sentence; empty if one may."""
        limit = self.exhausted()
        return f"The run's limit of {limit} was reached before this." if limit else ""


class RunBudgets:
    """The budgets of the runs that this process works on: one a run, shared by its branches."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._budgets: LRUCache[str, RunBudget] = LRUCache(RUNS_REMEMBERED)

    async def of_run(self, plan: AlignmentPlan, used: Usage, spending: Spending) -> RunBudget:
        """The budget of the run, refreshed from the store."""
        latest = await RunBudget.load(plan, self._settings, spending, used)
        budget = self._budgets.setdefault(plan.run, latest)
        budget.refresh(latest)
        return budget


def _spent(usage: Usage, seconds: float, settings: Settings) -> Spent:
    total = usage.summed()
    read, written = total["input_tokens"], total["output_tokens"]
    price = (read * settings.price_input + written * settings.price_output) / 1e6
    return Spent(calls=total["llm_calls"], tokens=read + written, seconds=seconds, price=price)
