"""``/me/budget``: what the user has spent today."""

from fastapi import APIRouter

from personaagent.server.budget import Budget, budget_of
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies

router = APIRouter(prefix="/me/budget", tags=["me"])


@router.get("")
async def show_budget(memory: CurrentUserMemory, deps: ServerDependencies) -> Budget:
    """What alignment, turns and imports have spent today, and what the day allows of each."""
    return await budget_of(memory, deps.settings)
