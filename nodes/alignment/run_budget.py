"""What a run of alignment may spend: calls, tokens, seconds and price, in the run and in the day."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

from cachetools import LRUCache

from personaagent.core.alignment_state import LIMITS, AlignmentPlan, Limit
from personaagent.core.errors import LimitReached
from personaagent.core.records import RoleUsage, Usage
from personaagent.core.settings import Role, Settings
from personaagent.core.together import Together
from personaagent.memory.spending import Spending, Spent
from personaagent.nodes.alignment.pace import begun

RUNS_REMEMBERED = 1024


@dataclass
class RunBudget:
    """The limits of a run, and what it has spent. A limit of 0 means no limit.

    It is the ``Meter`` of the run's model calls: each is reserved before it is made, in the run, and
    in the user's day over all processes, so that calls side by side do not pass a limit together. The
    call that reaches a limit of tokens or price may pass it by what it uses.

    ``answer_slots`` limits the simulations of the run that go on at the same time; an answer holds
    its slot until it is stored.
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
    reserved: Spent = field(default_factory=Spent)
    """What the calls under way are expected to use."""
    started: float = field(default_factory=monotonic)
    """When this process took the run up (``time.monotonic``)."""
    day_limit: Limit | None = None
    """The limit of the day that a call was refused for."""
    answer_slots: asyncio.Semaphore = field(init=False)
    _book: Together = field(init=False)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.answer_slots = asyncio.Semaphore(self.settings.simulations_at_once)
        self._book = Together(self._book_now)

    @classmethod
    async def load(
        cls, plan: AlignmentPlan, settings: Settings, spending: Spending, used: Usage | None = None
    ) -> "RunBudget":
        """Read the budget of a run, whose finished steps have ``used`` at least so much."""
        booked, others = await spending.of_and_besides(plan.run)
        finished = _spent((used or Usage()).summed(), settings)
        before = booked if booked.calls >= finished.calls else finished
        return cls(plan.clamped_to(settings), settings, spending, before, others)

    async def reserve(self, expected: RoleUsage) -> None:
        """Set aside what a call is expected to use; waits while calls under way hold the rest.

        Raises:
            LimitReached: a limit of the run or of the day is reached.
        """
        begun()
        amount = _spent(expected.model_dump(), self.settings)
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._refused(amount) or not self._reached(self._with_reserved(), amount)
            )
            if self._refused(amount) is None and self._daily_limits():
                total = self._with_reserved() + amount
                limit = await self.spending.book(
                    self.plan.run, total, asks=amount, most=self._daily_limits()
                )
                self.day_limit = cast(Limit | None, limit)
            if refused := self._refused(amount):
                raise LimitReached(
                    f"The run's limit of {refused} was reached before this.", refused
                )
            self.reserved += amount

    async def settle(self, role: Role, expected: RoleUsage, used: RoleUsage) -> None:
        """Book what a call has used, so that it counts whatever becomes of the run."""
        async with self._changed:
            self.reserved -= _spent(expected.model_dump(), self.settings)
            self.used = self.used.add(role, used)
            if self.spending.costs is not None:
                tests = self.plan.trigger == "scorecard"
                self.spending.costs.note("tests" if tests else "learning", used)
            self._changed.notify_all()
        await self._book()

    async def _book_now(self) -> None:
        async with self._changed:  # what is booked in between must not be overwritten
            await self.spending.book(self.plan.run, self._with_reserved())

    def refresh(self, latest: "RunBudget") -> None:
        """Take over what ``latest`` has read: the other runs, and this one if it has spent more."""
        self.spent_by_others = latest.spent_by_others
        if self.reserved.calls == 0 and latest.spent().calls > self.spent().calls:
            self.spent_before, self.used = latest.spent_before, latest.used
            self.started = latest.started

    def spent(self) -> Spent:
        """What the run has spent up to now; its seconds count while a process works on it."""
        used = _spent(self.used.summed(), self.settings)
        return self.spent_before + used + Spent(seconds=monotonic() - self.started)

    def exhausted(self) -> Limit | None:
        """The first limit that is reached, of the run or of the user's day."""
        return self._refused(Spent())

    def _refused(self, amount: Spent) -> Limit | None:
        """The limit for which a call that asks for so much is refused."""
        return self._reached(self.spent(), amount) or self.day_limit

    def _with_reserved(self) -> Spent:
        return self.spent() + self.reserved

    def _reached(self, spent: Spent, amount: Spent) -> Limit | None:
        of_day = spent + self.spent_by_others
        limit = spent.reached(self._limits(), amount) or of_day.reached(
            self._daily_limits(), amount
        )
        return cast(Limit | None, limit)

    def _limits(self) -> dict[str, float]:
        return {limit: getattr(self.plan, limit) for limit in LIMITS}

    def _daily_limits(self) -> dict[str, float]:
        limits = {limit: getattr(self.settings, f"align_daily_{limit}") for limit in LIMITS}
        return {limit: most for limit, most in limits.items() if most}


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


def _spent(usage: Mapping[str, int], settings: Settings) -> Spent:
    """What this usage (``llm_calls``, ``input_tokens``, ``output_tokens``) comes to."""
    read, written = usage["input_tokens"], usage["output_tokens"]
    price = (read * settings.price_input + written * settings.price_output) / 1e6
    return Spent(calls=usage["llm_calls"], tokens=read + written, price=price)
