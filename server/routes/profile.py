"""``/me/profile``: what is stable about the user."""

import asyncio

from fastapi import APIRouter

from personaagent.core.records import Profile
from personaagent.nodes.profile_refresh import start_refresh
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies

router = APIRouter(prefix="/me/profile", tags=["profile"])

REFRESH_WAIT = 15.0
"""How long a request waits for the critic (seconds)."""


class RefreshedProfile(Profile):
    """The profile as far as it is refreshed: ``remaining`` episodes are not read yet, and
    ``refreshing`` says whether they are being read."""

    remaining: int
    refreshing: bool


@router.get("")
async def show_profile(memory: CurrentUserMemory) -> Profile:
    """The computed facts, and the summary, each statement with its evidence."""
    return await memory.profile.read()


@router.post("/refresh")
async def refresh(memory: CurrentUserMemory, deps: ServerDependencies) -> RefreshedProfile:
    """Bring the summary up to date with the newest episodes (asks the critic model).

    The response comes when that is done, or after 15 seconds: then it goes on in the background, and
    `remaining` says how many episodes are not read yet. Ask again to see how far it is.
    """
    if task := start_refresh(deps, memory, deps.settings.zone):
        await asyncio.wait([task], timeout=REFRESH_WAIT)
        if task.done():
            task.result()
    profile, unread = await memory.profile.read(), await memory.profile.unsummarised()
    return RefreshedProfile(
        **dict(profile),
        remaining=len(unread),
        refreshing=deps.refreshing.is_running(memory.user_id),
    )
