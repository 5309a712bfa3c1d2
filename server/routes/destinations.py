"""``/me/destinations``: what leaves the server's machine."""

from fastapi import APIRouter

from personaagent.server.auth import tokens
from personaagent.server.dependencies import ServerDependencies
from personaagent.server.destinations import Destination, destinations

router = APIRouter(prefix="/me/destinations", tags=["me"])


@router.get("")
async def list_destinations(deps: ServerDependencies) -> list[Destination]:
    """Where the user's data goes to: models, index, Wikipedia, traces; addresses without tokens only."""
    return destinations(deps.settings, with_hosts=not (await tokens.aget()).required)
