"""``/me/scorecard``: whether persona and memory help, tested in order of time."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from personaagent.scorecard.calibration import Calibration, read_calibration
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies, ServerStore
from personaagent.server.errors import error_responses
from personaagent.server.scorecards import scorecard_lines
from personaagent.server.streams import LINES, start_stream

router = APIRouter(prefix="/me/scorecard", tags=["scorecard"])

SCORECARD_LINES: dict[str, Any] = {
    "content": {LINES: {"schema": {"type": "string"}}},
    "description": 'One line for each episode, `{"done": 3, "of": 20}`, then `{"scorecard": ...}`, or '
    '`{"detail": ...}` if it failed midway.',
}


@router.post(
    "", response_class=StreamingResponse, responses={200: SCORECARD_LINES, **error_responses(409)}
)
async def compute_scorecard(
    memory: CurrentUserMemory,
    deps: ServerDependencies,
    store: ServerStore,
    limit: Annotated[int, Query(ge=1, le=200, description="Labelled episodes, the newest.")] = 20,
) -> StreamingResponse:
    """Test each version of the persona on what came after it, within the limits of an alignment.

    Asks the models, and may take minutes. Earlier simulations are reused.
    """
    lines = scorecard_lines(deps, store, memory.user_id, limit)
    return StreamingResponse(await start_stream(lines), media_type=LINES)


@router.get("/calibration")
async def show_calibration(memory: CurrentUserMemory) -> Calibration:
    """How sure the answers to closed questions were, and how often they were right, by what you
    accepted, corrected and rejected. Asks no model."""
    return await read_calibration(memory.episodes)
