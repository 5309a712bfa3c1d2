"""``/me/costs``: what the user's model calls have cost, day by day."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from personaagent.core.records import now
from personaagent.server.costs import CostReport, cost_report
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies

router = APIRouter(prefix="/me/costs", tags=["me"])


@router.get("")
async def show_costs(
    memory: CurrentUserMemory,
    deps: ServerDependencies,
    days: Annotated[int, Query(ge=1, le=3660, description="How far back, today included.")] = 30,
) -> CostReport:
    """What answers, summaries, learning and tests have taken on each of these days (UTC), in tokens,
    and in money by `PERSONAAGENT_PRICE_INPUT` and `PERSONAAGENT_PRICE_OUTPUT`. Asks no model."""
    oldest = now().date() - timedelta(days=days - 1)
    days_noted = await memory.costs.by_day()
    return cost_report([each for each in days_noted if each.day >= oldest], deps.settings)
