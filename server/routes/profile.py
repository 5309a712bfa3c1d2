"""``/me/profile``: what is stable about the user."""

from fastapi import APIRouter

from personaagent.core.records import Profile
from personaagent.memory.summary import refresh_summary
from personaagent.server.dependencies import Mine, Process

router = APIRouter(prefix="/me/profile", tags=["profile"])


@router.get("")
async def show_profile(mine: Mine) -> Profile:
    """The computed facts, and each statement of the summary with its evidence."""
    return await mine.profile.read()


@router.post("/refresh")
async def refresh(mine: Mine, parts: Process) -> Profile:
    """Bring the summary up to date with the newest episodes (asks the critic model)."""
    await refresh_summary(mine, await parts.models.chat("critic"))
    return await mine.profile.read()
