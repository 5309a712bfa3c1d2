"""``/me/remembering``: the user pauses what is remembered of their turns."""

from fastapi import APIRouter

from personaagent.core.records import Record
from personaagent.memory.remembering import Remembering
from personaagent.server.dependencies import CurrentUserMemory

router = APIRouter(prefix="/me/remembering", tags=["me"])


class Pause(Record):
    """Whether turns are not remembered. What is remembered already is recalled all the same."""

    paused: bool


@router.get("")
async def show_remembering(memory: CurrentUserMemory) -> Pause:
    """Whether remembering is paused."""
    return Pause(paused=await Remembering(memory.store).is_paused())


@router.put("")
async def pause_remembering(pause: Pause, memory: CurrentUserMemory) -> Pause:
    """Pause remembering, or go on with it; imports and feedback work meanwhile."""
    await Remembering(memory.store).pause(paused=pause.paused)
    return pause
