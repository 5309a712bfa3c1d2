"""``/me/profile``: what is stable about the user."""

from fastapi import APIRouter

from personaagent.core.records import Profile
from personaagent.memory.summary import refresh_summary
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies

router = APIRouter(prefix="/me/profile", tags=["profile"])


@router.get("")
async def show_profile(mine: CurrentUserMemory) -> Profile:
    """The computed facts, and each statement of the summary with its evidence."""
    return await mine.profile.read()


@router.post("/refresh")
async def refresh(mine: CurrentUserMemory, deps: ServerDependencies) -> Profile:
    """Bring the summary up to date with the newest episodes (asks the critic model)."""
    await refresh_summary(mine, await deps.models.chat("critic"))
    return await mine.profile.read()
