"""``/me``: forget me."""

from fastapi import APIRouter

from personaagent.memory.forget import Receipt
from personaagent.server.dependencies import CurrentUserMemory, InternalClient, ServerDependencies
from personaagent.server.forgetting import forget_user

router = APIRouter(prefix="/me", tags=["me"])


@router.delete("")
async def forget_me(
    memory: CurrentUserMemory, deps: ServerDependencies, api: InternalClient
) -> Receipt:
    """Forget everything of the user who calls; the receipt says what is gone."""
    return await forget_user(memory, api, deps.memory)
