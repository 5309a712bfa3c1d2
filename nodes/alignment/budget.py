"""What a run of alignment may spend: calls, tokens, seconds, price; of its own and of the day."""

from dataclasses import dataclass
from datetime import datetime

from personaagent.core.alignment_state import LIMITS, AlignmentState, Branch, Limit, Plan
from personaagent.core.records import Usage, now
from personaagent.core.settings import Settings
from personaagent.memory.spending import Spent
from personaagent.memory.user import UserMemory


@dataclass
class Budget:
    """The limits of a run, and what was used so far. A limit of 0 is none."""

    plan: Plan
    settings: Settings
    used: Usage
    today: Spent
    """What the user's earlier runs of this day used."""

    @classmethod
    async def of(
        cls, state: AlignmentState | Branch, settings: Settings, memory: UserMemory
    ) -> "Budget":
        """The budget of a run as it stands."""
        used = Usage.model_validate(state["usage"])
        plan = Plan.model_validate(state["plan"])
        return cls(plan, settings, used, await memory.spending.today())

    def spend(self, usage: Usage) -> None:
        """Count ``usage`` in."""
        self.used += usage

    def catch_up(self, other: "Budget") -> None:
        """Take over what ``other`` knows to be used, where it knows of more."""
        if other.spent().calls > self.spent().calls:
            self.used = other.used

    def spent(self) -> Spent:
        """What the run has used up to now, seconds since it was begun."""
        total = self.used.summed()
        read, written = total["input_tokens"], total["output_tokens"]
        price = read * self.settings.price_input + written * self.settings.price_output
        return Spent(
            calls=total["llm_calls"],
            tokens=read + written,
            seconds=(now() - datetime.fromisoformat(self.plan.started_at)).total_seconds(),
            price=price / 1e6,
        )

    def exhausted(self) -> Limit | None:
        """The first limit that is reached, of the run or of the user's day."""
        spent = self.spent()
        for limit in LIMITS:
            used = getattr(spent, limit)
            of_run: float = getattr(self.plan, limit)
            of_day: float = getattr(self.settings, f"align_daily_{limit}")
            if 0 < of_run <= used or 0 < of_day <= used + getattr(self.today, limit):
                return limit
        return None
