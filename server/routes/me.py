"""``/me``: forget me."""

from fastapi import APIRouter

from personaagent.memory.forget import Receipt
from personaagent.server.dependencies import CurrentUserMemory, InternalClient, ServerDependencies
from personaagent.server.forgetting import forget_user

router = APIRouter(prefix="/me", tags=["me"])


@router.delete("")
async def forget_me(
    mine: CurrentUserMemory, deps: ServerDependencies, api: InternalClient
) -> Receipt:
    """Forget everything of the user who calls, and say what went."""
    return await forget_user(mine, api, deps.memory)
