"""What a user has spent today, of what the settings allow."""

from typing import get_args

from personaagent.core.alignment_state import LIMITS
from personaagent.core.records import Moment, Record
from personaagent.core.settings import Settings
from personaagent.memory.spending import Account, Spent
from personaagent.memory.user import UserMemory
from personaagent.nodes.user_meter import midnight_after, spending_of


class Allowance(Record):
    """What was spent today, and the most of each kind that a day allows; what is not named has no
    limit. What nothing limits may not be counted."""

    spent: Spent
    most: dict[str, float]


class Budget(Record):
    """The budgets of the day (UTC), and when they begin anew; ``requests_per_minute`` null: no limit.

    ``turns`` are questions and summaries, ``imports`` are uploads.
    """

    resets_at: Moment
    alignment: Allowance
    turns: Allowance
    imports: Allowance
    requests_per_minute: int | None


async def budget_of(memory: UserMemory, settings: Settings) -> Budget:
    """The user's budget now."""
    allowances = {
        account: Allowance(
            spent=await spending_of(memory, account).today(), most=_most(account, settings)
        )
        for account in get_args(Account)
    }
    return Budget(
        resets_at=midnight_after(memory.spending.clock()),
        requests_per_minute=settings.requests_per_minute or None,
        **allowances,
    )


def _most(account: Account, settings: Settings) -> dict[str, float]:
    limits: dict[Account, dict[str, float]] = {
        "alignment": {limit: getattr(settings, f"align_daily_{limit}") for limit in LIMITS},
        "turns": {"tokens": settings.daily_tokens},
        "imports": {"bytes": settings.daily_import_bytes},
    }
    return {kind: most for kind, most in limits[account].items() if most}
