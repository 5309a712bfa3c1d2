"""``/me/undo``: the last change to memory, persona or profile, and taking it back."""

from fastapi import APIRouter
from pydantic import Field

from personaagent.core.errors import Conflict
from personaagent.core.records import Record
from personaagent.memory.undo import Undoable, last_change
from personaagent.server.dependencies import CurrentUserMemory, InternalClient
from personaagent.server.errors import error_responses
from personaagent.server.forgetting import undo_change

router = APIRouter(prefix="/me/undo", tags=["me"])


class Chosen(Record):
    """The ``key`` of the change, as the last change has it."""

    key: str = Field(min_length=1, max_length=128)


@router.get("")
async def show_last_change(memory: CurrentUserMemory) -> Undoable:
    """The last change that can be undone: feedback, a version, an edit of the profile, an import."""
    return await last_change(memory)


@router.post("", responses=error_responses(409))
async def undo_last_change(
    chosen: Chosen, memory: CurrentUserMemory, api: InternalClient
) -> Undoable:
    """Take the last change back, if it still is the one of this key. Forgetting cannot be undone."""
    change = await last_change(memory)
    if change.key != chosen.key:
        raise Conflict("There was another change since: look at the last one again.")
    return await undo_change(memory, api, change)
