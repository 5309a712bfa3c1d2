"""Who pays for a user's turns and summaries: their tokens of the day, where the settings limit them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from personaagent.core.errors import LimitReached
from personaagent.core.records import RoleUsage
from personaagent.core.settings import Role, Settings
from personaagent.memory.costs import Costs, Purpose
from personaagent.memory.spending import Account, Spending, Spent
from personaagent.memory.user import UserMemory
from personaagent.models.metering import Meter
from personaagent.nodes.current_user import AnyRuntime, user_memory
from personaagent.nodes.dependencies import Dependencies

TOGETHER = "together"
"""The entry of all that is not counted by run."""


@dataclass(frozen=True)
class UserMeter:
    """Pays from the tokens that a user has in a day, in all processes together."""

    spending: Spending
    most: int

    async def reserve(self, expected: RoleUsage) -> None:
        """Set aside what a call is expected to use.

        Raises:
            LimitReached: the day's tokens are spent.
        """
        if await self.spending.add(TOGETHER, _spent(expected), most={"tokens": self.most}):
            raise day_spent("tokens", self.spending.clock())

    async def settle(self, role: Role, expected: RoleUsage, used: RoleUsage) -> None:
        """Replace what was set aside by what the call has used."""
        await self.spending.add(TOGETHER, _spent(used) - _spent(expected))

    async def check(self) -> None:
        """See whether anything is left, without setting anything aside.

        Raises:
            LimitReached: the day's tokens are spent.
        """
        if (await self.spending.today()).reached({"tokens": self.most}):
            raise day_spent("tokens", self.spending.clock())


@dataclass(frozen=True)
class CountingMeter:
    """Notes what calls take, for the user to see; ``payer`` pays, where anything limits them."""

    costs: Costs
    purpose: Purpose
    payer: Meter | None

    async def reserve(self, expected: RoleUsage) -> None:
        """As of the payer."""
        if self.payer is not None:
            await self.payer.reserve(expected)

    async def settle(self, role: Role, expected: RoleUsage, used: RoleUsage) -> None:
        """Note what the call has used, and let the payer pay."""
        self.costs.note(self.purpose, used)
        if self.payer is not None:
            await self.payer.settle(role, expected, used)


def turn_meter(
    deps: Dependencies, runtime: AnyRuntime, state: Mapping[str, Any] | None = None
) -> Meter | None:
    """Who pays for a turn, and counts it unless it is incognito."""
    memory = user_memory(deps.memory, runtime, state)
    payer = user_meter(memory, deps.settings)
    incognito = getattr(runtime.context, "incognito", False)
    return payer if incognito else CountingMeter(memory.costs, "answers", payer)


def summary_meter(memory: UserMemory, settings: Settings) -> Meter:
    """Who pays for a user's summary, and counts it."""
    return CountingMeter(memory.costs, "summaries", user_meter(memory, settings))


def user_meter(memory: UserMemory, settings: Settings) -> UserMeter | None:
    """Who pays for what a user's own questions and summaries cost; None where nothing limits it."""
    if not settings.daily_tokens:
        return None
    return UserMeter(spending_of(memory, "turns"), settings.daily_tokens)


def spending_of(memory: UserMemory, account: Account) -> Spending:
    """The user's account of this name."""
    return Spending(memory.store, memory.spending.clock, account)


def day_spent(what: str, at: datetime) -> LimitReached:
    """The refusal until midnight (UTC)."""
    seconds = ceil((midnight_after(at) - at).total_seconds())
    return LimitReached(
        f"Your {what} of this day are used up: try again after midnight (UTC).", what, seconds
    )


def midnight_after(at: datetime) -> datetime:
    """When the day's budgets begin anew."""
    return (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _spent(usage: RoleUsage) -> Spent:
    return Spent(calls=usage.llm_calls, tokens=usage.input_tokens + usage.output_tokens)
