"""``/me/profile``: what is stable about the user."""

from fastapi import APIRouter

from personaagent.core.records import Profile
from personaagent.memory.summary import refresh_summary
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies

router = APIRouter(prefix="/me/profile", tags=["profile"])


@router.get("")
async def show_profile(memory: CurrentUserMemory) -> Profile:
    """The computed facts, and the summary, each statement with its evidence."""
    return await memory.profile.read()


@router.post("/refresh")
async def refresh(memory: CurrentUserMemory, deps: ServerDependencies) -> Profile:
    """Bring the summary up to date with the newest episodes (asks the critic model)."""
    settings = deps.settings
    await refresh_summary(
        memory,
        await deps.models.chat("critic"),
        max_calls=settings.summary_calls,
        zone=settings.zone,
    )
    return await memory.profile.read()
