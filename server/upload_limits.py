"""How many bytes a user may upload in a day, as imports and archives."""

from fastapi import Request

from personaagent.core.settings import Settings
from personaagent.memory.spending import Spent
from personaagent.nodes.user_meter import TOGETHER, day_spent, spending_of
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies


async def count_upload(
    request: Request, memory: CurrentUserMemory, deps: ServerDependencies
) -> None:
    """Count an upload before it is read; without a length it counts as the longest.

    Raises:
        LimitReached: the user has uploaded all that the day allows.
    """
    settings: Settings = deps.settings
    if not settings.daily_import_bytes:
        return
    spending = spending_of(memory, "imports")
    size = _length(request, settings)
    most = {"bytes": settings.daily_import_bytes}
    if await spending.add(TOGETHER, Spent(bytes=size), most=most):
        raise day_spent("uploads", spending.clock())


def _length(request: Request, settings: Settings) -> int:
    declared = request.headers.get("content-length", "")
    longest = settings.max_import_bytes
    return min(int(declared), longest) if declared.isdecimal() else longest
